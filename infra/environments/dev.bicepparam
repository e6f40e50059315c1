using '../main.bicep'

// An environment that may be thrown away: nothing is guarded against deletion, and nothing is kept warm.

param environmentName = readEnvironmentVariable('MEMBERS_ENVIRONMENT', 'dev')
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
param dataStorageSku = 'Standard_LRS'
param protectData = false
