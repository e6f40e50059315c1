// The mail service, and the domain that mails come from.

param name string
param emailServiceName string
param tags object
param dataLocation string
param domainName string
param domainVerified bool
param senderUsername string
param senderDisplayName string
param principalId string
param workspaceId string

var ownDomain = !empty(domainName)
var domainIsReady = !ownDomain || domainVerified
var communicationAndEmailServiceOwner = '09976791-48a7-449e-bb21-39d1a415f350' // there is no role that may only send

resource emailService 'Microsoft.Communication/emailServices@2025-09-01' = {
  name: emailServiceName
  location: 'global'
  tags: tags
  properties: {
    dataLocation: dataLocation
  }
}

resource domain 'Microsoft.Communication/emailServices/domains@2025-09-01' = {
  parent: emailService
  name: ownDomain ? domainName : 'AzureManagedDomain'
  location: 'global'
  tags: tags
  properties: {
    domainManagement: ownDomain ? 'CustomerManaged' : 'AzureManaged'
    userEngagementTracking: 'Disabled'
  }
}

resource sender 'Microsoft.Communication/emailServices/domains/senderUsernames@2025-09-01' = if (ownDomain && domainVerified) {
  parent: domain
  name: senderUsername
  properties: {
    username: senderUsername
    displayName: senderDisplayName
  }
}

resource communication 'Microsoft.Communication/communicationServices@2025-09-01' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    dataLocation: dataLocation
    disableLocalAuth: true
    linkedDomains: domainIsReady ? [domain.id] : []
  }
}

resource mailer 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(communication.id, principalId, communicationAndEmailServiceOwner)
  scope: communication
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', communicationAndEmailServiceOwner)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: communication
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'EmailSendMailOperational'
        enabled: true
      }
      {
        category: 'EmailStatusUpdateOperational'
        enabled: true
      }
    ]
  }
}

output id string = communication.id
output endpoint string = 'https://${communication.properties.hostName}'
output senderAddress string = ownDomain ? '${senderUsername}@${domainName}' : 'DoNotReply@${domain.properties.mailFromSenderDomain}'
output domainRecords object = ownDomain ? domain.properties.verificationRecords : {}
