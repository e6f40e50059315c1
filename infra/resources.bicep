targetScope = 'resourceGroup'

metadata name = 'Loome Members, in a resource group that is there already'
metadata description = 'Everything of one environment but the resource group, for administrators who own only that.'

@minLength(2)
@maxLength(16)
@description('Short name of the environment, such as dev, test or prod. It becomes part of names and tags.')
param environmentName string

@description('Azure region of everything that has a region.')
param location string = resourceGroup().location

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

var token = uniqueString(subscription().id, resourceGroup().id, environmentName)
var hostStorageName = 'stmh${token}'
var dataStorageName = 'stmd${token}'
var keyVaultName = 'kv-members-${token}'
var functionAppName = 'func-members-${token}'
var inNetwork = networkMode != 'public'
var isPrivate = networkMode == 'private'

var zones = {
  blob: 'privatelink.blob.${environment().suffixes.storage}'
  queue: 'privatelink.queue.${environment().suffixes.storage}'
  table: 'privatelink.table.${environment().suffixes.storage}'
  vault: 'privatelink.vaultcore.azure.net'
  sites: 'privatelink.azurewebsites.net'
}
var hostStorageId = resourceId('Microsoft.Storage/storageAccounts', hostStorageName)
var dataStorageId = resourceId('Microsoft.Storage/storageAccounts', dataStorageName)
var storesAndVault = [
  { name: 'host-blob', group: 'blob', zone: zones.blob, target: hostStorageId }
  { name: 'host-queue', group: 'queue', zone: zones.queue, target: hostStorageId }
  { name: 'host-table', group: 'table', zone: zones.table, target: hostStorageId }
  { name: 'data-blob', group: 'blob', zone: zones.blob, target: dataStorageId }
  { name: 'data-queue', group: 'queue', zone: zones.queue, target: dataStorageId }
  { name: 'data-table', group: 'table', zone: zones.table, target: dataStorageId }
  { name: 'vault', group: 'vault', zone: zones.vault, target: resourceId('Microsoft.KeyVault/vaults', keyVaultName) }
]

module identity 'modules/identity.bicep' = {
  name: 'identity'
  params: {
    name: 'id-members-${token}'
    location: location
    tags: tags
  }
}

module observability 'modules/observability.bicep' = {
  name: 'observability'
  params: {
    workspaceName: 'log-members-${token}'
    componentName: 'appi-members-${token}'
    location: location
    tags: tags
    retentionInDays: logRetentionDays
    dailyCapGb: logDailyCapGb
    principalId: identity.outputs.principalId
  }
}

module hostStorage 'modules/host-storage.bicep' = {
  name: 'host-storage'
  params: {
    name: hostStorageName
    location: location
    tags: tags
    openToInternet: !inNetwork
    principalId: identity.outputs.principalId
    workspaceId: observability.outputs.workspaceId
  }
}

module dataStorage 'modules/data-storage.bicep' = {
  name: 'data-storage'
  params: {
    name: dataStorageName
    location: location
    tags: tags
    skuName: dataStorageSku
    openToInternet: !inNetwork
    principalId: identity.outputs.principalId
    protectData: protectData
    workspaceId: observability.outputs.workspaceId
  }
}

module keyVault 'modules/key-vault.bicep' = {
  name: 'key-vault'
  params: {
    name: keyVaultName
    location: location
    tags: tags
    openToInternet: !inNetwork
    protectData: protectData
    principalId: identity.outputs.principalId
    workspaceId: observability.outputs.workspaceId
  }
}

module communication 'modules/communication.bicep' = {
  name: 'communication'
  params: {
    name: 'acs-members-${token}'
    emailServiceName: 'acse-members-${token}'
    tags: tags
    dataLocation: emailDataLocation
    domainName: emailDomainName
    domainVerified: emailDomainVerified
    senderUsername: emailSenderUsername
    senderDisplayName: emailSenderDisplayName
    principalId: identity.outputs.principalId
    workspaceId: observability.outputs.workspaceId
  }
}

module deliveryReports 'modules/delivery-reports.bicep' = {
  name: 'delivery-reports'
  params: {
    name: 'evgt-members-${token}'
    tags: tags
    communicationId: communication.outputs.id
    dataStorageName: dataStorageName
    queueName: 'mail-reports'
  }
  dependsOn: [
    dataStorage
  ]
}

module network 'modules/network.bicep' = if (inNetwork) {
  name: 'network'
  params: {
    name: 'vnet-members-${token}'
    location: location
    tags: tags
    addressPrefix: networkAddressPrefix
    zoneNames: [zones.blob, zones.queue, zones.table, zones.vault, zones.sites]
  }
}

module endpoints 'modules/private-endpoint.bicep' = [for each in storesAndVault: if (inNetwork) {
  name: 'endpoint-${each.name}'
  params: {
    name: 'pep-members-${each.name}-${token}'
    location: location
    tags: tags
    subnetId: network.?outputs.endpointSubnetId ?? ''
    targetId: each.target
    group: each.group
    zoneName: each.zone
  }
  dependsOn: [
    hostStorage
    dataStorage
    keyVault
  ]
}]

module functionApp 'modules/function-app.bicep' = {
  name: 'function-app'
  params: {
    name: functionAppName
    planName: 'plan-members-${token}'
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    hostStorageName: hostStorageName
    packageContainerUrl: hostStorage.outputs.packageContainerUrl
    tableEndpoint: dataStorage.outputs.tableEndpoint
    queueEndpoint: dataStorage.outputs.queueEndpoint
    blobEndpoint: dataStorage.outputs.blobEndpoint
    keyVaultUri: keyVault.outputs.uri
    appInsightsConnectionString: observability.outputs.connectionString
    workspaceId: observability.outputs.workspaceId
    emailEndpoint: communication.outputs.endpoint
    emailSenderAddress: communication.outputs.senderAddress
    emailPerMinute: emailPerMinute
    emailPerHour: emailPerHour
    directories: directories
    apiAudience: apiAudience
    graphMode: graphMode
    signIns: signIns
    clients: clients
    hookAudience: hookAudience
    hookExtensions: hookExtensions
    b2cDirectory: b2cDirectory
    b2cUser: b2cUser
    b2cThumbprints: b2cThumbprints
    allowedOrigins: allowedOrigins
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyHttp: alwaysReadyHttp
    zoneRedundant: zoneRedundant
    rollingUpdates: rollingUpdates
    subnetId: network.?outputs.appSubnetId ?? ''
    openToInternet: !isPrivate
  }
  dependsOn: [
    endpoints
  ]
}

module appEndpoint 'modules/private-endpoint.bicep' = if (isPrivate) {
  name: 'endpoint-app'
  params: {
    name: 'pep-members-app-${token}'
    location: location
    tags: tags
    subnetId: network.?outputs.endpointSubnetId ?? ''
    targetId: resourceId('Microsoft.Web/sites', functionAppName)
    group: 'sites'
    zoneName: zones.sites
  }
  dependsOn: [
    functionApp
  ]
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  params: {
    environmentName: environmentName
    location: location
    tags: tags
    workspaceId: observability.outputs.workspaceId
    dataStorageId: dataStorage.outputs.id
    emailAddresses: alertEmailAddresses
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  params: {
    location: location
    tags: tags
    displayName: 'Loome Members (${environmentName})'
    workspaceId: observability.outputs.workspaceId
  }
}

module budget 'modules/budget.bicep' = if (monthlyBudget > 0 && !empty(budgetStartDate)) {
  name: 'budget'
  params: {
    name: 'budget-members-${environmentName}'
    amount: monthlyBudget
    startDate: budgetStartDate
    emailAddresses: alertEmailAddresses
  }
}

output functionAppName string = functionApp.outputs.name
output apiUrl string = functionApp.outputs.url
output keyVaultName string = keyVaultName
output identityPrincipalId string = identity.outputs.principalId
output emailSenderAddress string = communication.outputs.senderAddress
output emailDomainRecords object = communication.outputs.domainRecords
