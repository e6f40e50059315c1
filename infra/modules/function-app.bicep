// The app itself, on Flex Consumption, and every setting that it reads.

param name string
param planName string
param location string
param tags object
param identityId string
param identityClientId string
param hostStorageName string
param packageContainerUrl string
param tableEndpoint string
param queueEndpoint string
param blobEndpoint string
param keyVaultUri string
param appInsightsConnectionString string
param workspaceId string
param emailEndpoint string
param emailSenderAddress string
param emailPerMinute int
param emailPerHour int
param directories array
param apiAudience string
param graphMode string
param signIns array
param clients object
param hookAudience string
param hookExtensions array
param b2cDirectory string
param b2cUser string
param b2cThumbprints array
param allowedOrigins array
param instanceMemoryMB int
param maximumInstanceCount int
param alwaysReadyHttp int
param zoneRedundant bool
param rollingUpdates bool
param subnetId string
param openToInternet bool

resource plan 'Microsoft.Web/serverfarms@2025-05-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true // Linux
    zoneRedundant: zoneRedundant
  }
}

resource site 'Microsoft.Web/sites@2025-05-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'members' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientCertEnabled: !empty(b2cThumbprints)
    clientCertMode: 'Optional' // the app looks at certificates, and at what comes instead
    publicNetworkAccess: openToInternet ? 'Enabled' : 'Disabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    keyVaultReferenceIdentity: identityId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainerUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'python'
        version: '3.13'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReadyHttp > 0 ? [
          {
            name: 'http'
            instanceCount: alwaysReadyHttp
          }
        ] : []
        triggers: {
          http: {
            perInstanceConcurrency: 32
          }
        }
      }
      siteUpdateStrategy: {
        type: rollingUpdates ? 'RollingUpdate' : 'Recreate'
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      cors: {
        allowedOrigins: allowedOrigins
        supportCredentials: false
      }
    }
  }
}

resource settings 'Microsoft.Web/sites/config@2025-05-01' = {
  parent: site
  name: 'appsettings'
  properties: {
    // The host's own
    AzureWebJobsStorage__accountName: hostStorageName
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: identityClientId
    APPLICATIONINSIGHTS_CONNECTION_STRING: appInsightsConnectionString
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'

    // Tables, queues and exports
    MembersStorage__tableServiceUri: tableEndpoint
    MembersStorage__queueServiceUri: queueEndpoint
    MembersStorage__blobServiceUri: blobEndpoint
    MembersStorage__credential: 'managedidentity'
    MembersStorage__clientId: identityClientId
    MEMBERS_EXPORT_DAYS: '30'

    // Who is believed
    AZURE_CLIENT_ID: identityClientId
    MEMBERS_DIRECTORIES: string(directories)
    MEMBERS_AUDIENCE: apiAudience
    MEMBERS_AUDIT_DAYS: '400'
    MEMBERS_OPERATION_DAYS: '90'
    MEMBERS_CURSOR_KEY: '@Microsoft.KeyVault(SecretUri=${keyVaultUri}secrets/cursor-key)'
    MEMBERS_KEY_PEPPERS: '@Microsoft.KeyVault(SecretUri=${keyVaultUri}secrets/key-peppers)'

    // How it hears of sign-ins
    MEMBERS_SIGN_INS: join(signIns, ',')
    MEMBERS_CLIENTS: string(clients)
    MEMBERS_HOOK_AUDIENCE: hookAudience
    MEMBERS_HOOK_EXTENSIONS: join(hookExtensions, ',')
    MEMBERS_B2C_DIRECTORY: b2cDirectory
    MEMBERS_B2C_USER: b2cUser
    MEMBERS_B2C_PASSWORDS: '@Microsoft.KeyVault(SecretUri=${keyVaultUri}secrets/b2c-passwords)'
    MEMBERS_B2C_THUMBPRINTS: join(b2cThumbprints, ',')

    // Whom it asks
    GRAPH_ENDPOINT: 'https://graph.microsoft.com'
    GRAPH_MODE: graphMode
    EMAIL_ENDPOINT: emailEndpoint
    EMAIL_SENDER_ADDRESS: emailSenderAddress
    EMAIL_PER_MINUTE: string(emailPerMinute)
    EMAIL_PER_HOUR: string(emailPerHour)
  }
}

resource noFtp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-05-01' = {
  parent: site
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource noBasicScm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-05-01' = {
  parent: site
  name: 'scm'
  properties: {
    allow: false
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: site
  properties: {
    workspaceId: workspaceId
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

output name string = site.name
output url string = 'https://${site.properties.defaultHostName}/api'
