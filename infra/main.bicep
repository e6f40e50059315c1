targetScope = 'subscription'

metadata name = 'Loome Members'
metadata description = 'One environment of Loome Members: its resource group, and everything in it.'

@minLength(2)
@maxLength(16)
@description('Short name of the environment, such as dev, test or prod. It becomes part of names and tags.')
param environmentName string

@description('Azure region of everything that has a region.')
@metadata({ azd: { type: 'location' } })
param location string

@description('More tags for every resource.')
param tags object = {}

@minLength(1)
@description('Whose people may sign in: the value of MEMBERS_DIRECTORIES as a list of objects. A decision, so there is no default.')
param directories array

@minLength(1)
@description('Application id of the app registration that stands for this API: the audience of its access tokens.')
param apiAudience string

@allowed(['on-behalf-of', 'app-only'])
@description('As whom directories are looked up: as the caller, or as the app itself.')
param graphMode string = 'on-behalf-of'

@description('Origins of the front ends that call the API from a browser. Never a wildcard.')
param allowedOrigins array = []

@description('In which ways the app hears of sign-ins: sign-in, entra, entra-sign-up, b2c, static-web-apps. The others answer 404.')
param signIns array = ['sign-in']

@description('Which client application is of which product, by client id; needed for every way but sign-in.')
param clients object = {}

@description('Application id that tokens of Entra for the hooks are meant for; needed for entra and entra-sign-up.')
param hookAudience string = ''

@description('Ids of the custom authentication extensions that may call; needed for entra and entra-sign-up.')
param hookExtensions array = []

@description('The tid of the directory, one of directories, that people of a B2C tenant are in; needed for b2c.')
param b2cDirectory string = ''

@description('The user as whom API connectors of B2C call; the password is made in the vault.')
param b2cUser string = 'b2c'

@description('SHA-256 thumbprints, in hex, of client certificates that API connectors of B2C may call with.')
param b2cThumbprints array = []

@allowed(['Africa', 'Asia Pacific', 'Australia', 'Brazil', 'Canada', 'Europe', 'France', 'Germany', 'India', 'Japan', 'Korea', 'Norway', 'Switzerland', 'UAE', 'UK', 'United States'])
@description('Where the mail service keeps its data. A decision, so there is no default; it cannot be changed later.')
param emailDataLocation string

@description('Your own mail domain. Empty: a domain of Azure, for trying things out (5 mails a minute, 10 an hour).')
param emailDomainName string = ''

@minValue(1)
@description('How many mails a minute your mail account takes. Azure begins with 5, and with 30 for a domain of your own.')
param emailPerMinute int = 5

@minValue(1)
@description('How many mails an hour your mail account takes. Azure begins with 10, and with 100 for a domain of your own.')
param emailPerHour int = 10

@description('Whether the DNS records of your domain have been verified. Mail goes out from then on.')
param emailDomainVerified bool = false

@description('What stands before the @ of the sender, on your own domain.')
param emailSenderUsername string = 'invitations'

@description('The name that mails come from, on your own domain.')
param emailSenderDisplayName string = 'Loome'

@allowed(['public', 'outbound', 'private'])
@description('public: everything has a public address, and Entra guards it. outbound: storage and vault can be reached by the app only. private: the app itself has no public address either.')
param networkMode string = 'public'

@description('Addresses of the network, a /23 at least; in use in the modes outbound and private.')
param networkAddressPrefix string = '10.40.0.0/22'

@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 100

@minValue(0)
@maxValue(20)
@description('Instances that are kept warm for requests. 0 costs least, 1 keeps sign-in hooks inside their second, 2 go with zone redundancy.')
param alwaysReadyHttp int = 0

@description('Spread instances over the zones of the region. Needs two warm instances.')
param zoneRedundant bool = false

@description('Replace instances one after the other when code or settings change, instead of all at once.')
param rollingUpdates bool = false

@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_RAGRS', 'Standard_GZRS', 'Standard_RAGZRS'])
@description('How often members are stored. ZRS survives the loss of a data centre; GRS and its like, of the region.')
param dataStorageSku string = 'Standard_ZRS'

@description('Guard members against deletion: a lock on their storage, and purge protection of the vault. Only for throw-away environments false.')
param protectData bool = true

@minValue(30)
@maxValue(730)
@description('For how many days logs are kept.')
param logRetentionDays int = 30

@description('How much is logged a day at most, in GB. -1: no limit.')
param logDailyCapGb int = 2

@description('Who gets alerts by mail. Empty: alerts are there, and nobody is told.')
param alertEmailAddresses array = []

@minValue(0)
@description('What a month may cost, in the currency of the subscription, before alertEmailAddresses are told. 0: no budget.')
param monthlyBudget int = 0

@description('First day of the month in which the budget is made (2026-12-01). Azure lets nobody change it later.')
param budgetStartDate string = ''

@description('Resource group to make or to use. Empty: rg-members-<environmentName>.')
param resourceGroupName string = ''

var allTags = union(tags, { 'azd-env-name': environmentName, application: 'loome-members' })

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: empty(resourceGroupName) ? 'rg-members-${environmentName}' : resourceGroupName
  location: location
  tags: allTags
}

module resources 'resources.bicep' = {
  name: 'members-resources'
  scope: group
  params: {
    environmentName: environmentName
    location: location
    tags: allTags
    directories: directories
    apiAudience: apiAudience
    graphMode: graphMode
    emailPerMinute: emailPerMinute
    emailPerHour: emailPerHour
    signIns: signIns
    clients: clients
    hookAudience: hookAudience
    hookExtensions: hookExtensions
    b2cDirectory: b2cDirectory
    b2cUser: b2cUser
    b2cThumbprints: b2cThumbprints
    allowedOrigins: allowedOrigins
    emailDataLocation: emailDataLocation
    emailDomainName: emailDomainName
    emailDomainVerified: emailDomainVerified
    emailSenderUsername: emailSenderUsername
    emailSenderDisplayName: emailSenderDisplayName
    networkMode: networkMode
    networkAddressPrefix: networkAddressPrefix
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyHttp: alwaysReadyHttp
    zoneRedundant: zoneRedundant
    rollingUpdates: rollingUpdates
    dataStorageSku: dataStorageSku
    protectData: protectData
    logRetentionDays: logRetentionDays
    logDailyCapGb: logDailyCapGb
    alertEmailAddresses: alertEmailAddresses
    monthlyBudget: monthlyBudget
    budgetStartDate: budgetStartDate
  }
}

output AZURE_LOCATION string = location
output AZURE_TENANT_ID string = tenant().tenantId
output AZURE_RESOURCE_GROUP string = group.name
output MEMBERS_FUNCTION_APP string = resources.outputs.functionAppName
output MEMBERS_API_URL string = resources.outputs.apiUrl
output MEMBERS_KEY_VAULT string = resources.outputs.keyVaultName
output MEMBERS_IDENTITY_PRINCIPAL_ID string = resources.outputs.identityPrincipalId
output EMAIL_SENDER_ADDRESS string = resources.outputs.emailSenderAddress
output EMAIL_DOMAIN_RECORDS object = resources.outputs.emailDomainRecords
