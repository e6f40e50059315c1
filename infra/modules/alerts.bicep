// What operators are told. Each alert has a part in the runbook; each event named here is one that the app logs.

param environmentName string
param location string
param tags object
param workspaceId string
param dataStorageId string
param emailAddresses array

var rules = [
  {
    name: 'settings-broken'
    severity: 0
    frequency: 'PT5M'
    window: 'PT5M'
    operator: 'GreaterThan'
    threshold: 0
    query: 'AppTraces | extend event = tostring(split(Message, " ")[0]) | where event == "settings.broken"'
  }
  {
    name: 'server-errors'
    severity: 1
    frequency: 'PT5M'
    window: 'PT5M'
    operator: 'GreaterThan'
    threshold: 5
    query: 'AppRequests | where toint(ResultCode) >= 500'
  }
  {
    name: 'poison-messages'
    severity: 1
    frequency: 'PT5M'
    window: 'PT15M'
    operator: 'GreaterThan'
    threshold: 0
    query: 'AppTraces | extend event = tostring(split(Message, " ")[0]) | where event in ("report.failed", "work.failed", "work.unreadable")'
  }
  {
    name: 'timer-silent'
    severity: 1
    frequency: 'PT5M'
    window: 'PT15M'
    operator: 'LessThan'
    threshold: 1
    query: 'AppTraces | extend event = tostring(split(Message, " ")[0]) | where event == "outbox.swept"'
  }
  {
    name: 'probe-silent'
    severity: 1
    frequency: 'PT5M'
    window: 'PT15M'
    operator: 'LessThan'
    threshold: 1
    query: 'AppTraces | extend event = tostring(split(Message, " ")[0]) | where event == "ops.probe"'
  }
  {
    name: 'work-waiting'
    severity: 2
    frequency: 'PT5M'
    window: 'PT15M'
    operator: 'GreaterThan'
    threshold: 1
    query: 'AppTraces | extend event = tostring(split(Message, " ")[0]) | where event == "ops.probe" | extend waited = toint(extract("oldest_work=([0-9]+)", 1, Message)) | where waited > 900'
  }
  {
    name: 'hooks-failing'
    severity: 1
    frequency: 'PT5M'
    window: 'PT15M'
    operator: 'GreaterThan'
    threshold: 0
    query: 'AppTraces | extend event = tostring(split(Message, " ")[0]) | where event == "hook.failed"'
  }
  {
    name: 'hooks-without-answer'
    severity: 2
    frequency: 'PT5M'
    window: 'PT15M'
    operator: 'GreaterThan'
    threshold: 9
    query: 'AppTraces | extend event = tostring(split(Message, " ")[0]) | where event == "hook.unknown"'
  }
  {
    name: 'hooks-slow'
    severity: 1
    frequency: 'PT5M'
    window: 'PT15M'
    operator: 'GreaterThan'
    threshold: 0
    query: 'AppRequests | where Name in ("start_token_issuance", "submit_attribute_collection", "call_b2c_connector", "list_static_web_app_roles") | summarize p95 = percentile(DurationMs, 95), calls = count() by Name | where calls >= 20 and p95 > 900'
  }
  {
    name: 'mail-failing'
    severity: 2
    frequency: 'PT15M'
    window: 'PT30M'
    operator: 'GreaterThan'
    threshold: 4
    query: 'AppTraces | extend event = tostring(split(Message, " ")[0]) | where event == "mail.unavailable"'
  }
  {
    name: 'exports-failing'
    severity: 1
    frequency: 'PT1H'
    window: 'PT6H'
    operator: 'GreaterThan'
    threshold: 0
    query: 'AppTraces | extend event = tostring(split(Message, " ")[0]) | where event == "export.failed"'
  }
  {
    name: 'damage-found'
    severity: 2
    frequency: 'PT1H'
    window: 'PT6H'
    operator: 'GreaterThan'
    threshold: 0
    query: 'AppTraces | extend event = tostring(split(Message, " ")[0]) | where event == "verifier.found"'
  }
  {
    name: 'mail-waiting'
    severity: 3
    frequency: 'PT15M'
    window: 'PT1H'
    operator: 'GreaterThan'
    threshold: 9
    query: 'AppTraces | extend event = tostring(split(Message, " ")[0]) | where event == "mail.throttled"'
  }
  {
    name: 'storage-or-keys-failing'
    severity: 2
    frequency: 'PT5M'
    window: 'PT15M'
    operator: 'GreaterThan'
    threshold: 9
    query: 'AppTraces | extend event = tostring(split(Message, " ")[0]) | where event in ("dependency.unavailable", "nudge.failed")'
  }
]

resource group 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-members-${environmentName}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'members'
    emailReceivers: [for (address, i) in emailAddresses: {
      name: 'mail-${i}'
      emailAddress: address
      useCommonAlertSchema: true
    }]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for rule in rules: {
  name: 'members-${environmentName}-${rule.name}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Members ${environmentName}: ${rule.name}'
    enabled: true
    severity: rule.severity
    scopes: [workspaceId]
    evaluationFrequency: rule.frequency
    windowSize: rule.window
    autoMitigate: true
    skipQueryValidation: true // a new workspace has none of these tables yet
    criteria: {
      allOf: [
        {
          query: rule.query
          timeAggregation: 'Count'
          operator: rule.operator
          threshold: rule.threshold
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    actions: {
      actionGroups: [group.id]
    }
  }
}]

resource throttled 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'members-${environmentName}-storage-throttled'
  location: 'global'
  tags: tags
  properties: {
    description: 'Members ${environmentName}: storage turns requests away'
    enabled: true
    severity: 2
    scopes: [dataStorageId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'throttled'
          metricName: 'Transactions'
          operator: 'GreaterThan'
          threshold: 20
          timeAggregation: 'Total'
          dimensions: [
            {
              name: 'ResponseType'
              operator: 'Include'
              values: ['ClientAccountBandwidthThrottlingError', 'ClientAccountRequestThrottlingError', 'ClientThrottlingError', 'ServerBusyError']
            }
          ]
        }
      ]
    }
    actions: [
      {
        actionGroupId: group.id
      }
    ]
  }
}
