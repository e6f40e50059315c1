using '../main.bicep'

// What people work with: guarded, spread over zones, warm enough for sign-in hooks, and watched.

param environmentName = 'prod'
param location = 'australiaeast'
param directories = [
  {
    name: 'contoso'
    tid: '00000000-0000-0000-0000-000000000000'
    issuers: ['https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/v2.0']
    verifiedDomains: ['contoso.example']
    operators: true
  }
]
param apiAudience = '00000000-0000-0000-0000-000000000000'
param allowedOrigins = ['https://integrate.contoso.example']
param emailDataLocation = 'Australia'
param emailDomainName = 'mail.contoso.example'
param emailDomainVerified = false // true once the DNS records are verified
param networkMode = 'outbound'
param alwaysReadyHttp = 2
param zoneRedundant = true
param dataStorageSku = 'Standard_GZRS'
param logRetentionDays = 90
param alertEmailAddresses = ['operations@contoso.example']
