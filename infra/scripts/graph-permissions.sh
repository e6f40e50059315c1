#!/bin/sh
# Lets the app look people and groups up in the directory. For an administrator of Entra (Cloud Application
# Administrator or more; Privileged Role Administrator for app-only). Where nobody looks anybody up, it is not needed.
#
#   MEMBERS_AUDIENCE=... MEMBERS_IDENTITY_PRINCIPAL_ID=... [GRAPH_MODE=app-only] sh infra/scripts/graph-permissions.sh
#
# The app registration of the API trusts the managed identity in place of a client secret, and is given what the mode of
# looking up needs. What is there already is left alone, so run it as often as you like.
set -eu

: "${MEMBERS_AUDIENCE:?is not set: the application id of the app registration of the API}"
: "${MEMBERS_IDENTITY_PRINCIPAL_ID:?is not set: the output MEMBERS_IDENTITY_PRINCIPAL_ID of the deployment}"

case ${GRAPH_MODE:-on-behalf-of} in
  on-behalf-of) offered=oauth2PermissionScopes kind=Scope ;;
  app-only) offered=appRoles kind=Role ;;
  *)
    echo "GRAPH_MODE is on-behalf-of or app-only." >&2
    exit 1
    ;;
esac

graph=00000003-0000-0000-c000-000000000000 # Microsoft Graph, in every directory
tenant=$(az account show --query tenantId --output tsv)

trusted=$(az ad app federated-credential list --id "$MEMBERS_AUDIENCE" --query "[].subject" --output tsv)
case $trusted in
  *"$MEMBERS_IDENTITY_PRINCIPAL_ID"*) echo "the managed identity: trusted already" ;;
  *)
    az ad app federated-credential create --id "$MEMBERS_AUDIENCE" --output none --parameters "{
      \"name\": \"loome-members-$MEMBERS_IDENTITY_PRINCIPAL_ID\",
      \"issuer\": \"https://login.microsoftonline.com/$tenant/v2.0\",
      \"subject\": \"$MEMBERS_IDENTITY_PRINCIPAL_ID\",
      \"audiences\": [\"api://AzureADTokenExchange\"]
    }"
    echo "the managed identity: trusted from now on"
    ;;
esac

given=$(az ad app permission list --id "$MEMBERS_AUDIENCE" --query "[].resourceAccess[].id" --output tsv)
for permission in User.ReadBasic.All GroupMember.Read.All; do
  id=$(az ad sp show --id "$graph" --query "${offered}[?value=='$permission'].id | [0]" --output tsv)
  case $given in
    *"$id"*) echo "$permission ($kind): asked for already" ;;
    *)
      az ad app permission add --id "$MEMBERS_AUDIENCE" --api "$graph" --api-permissions "$id=$kind" --output none
      echo "$permission ($kind): asked for from now on"
      ;;
  esac
done

az ad app permission admin-consent --id "$MEMBERS_AUDIENCE"
echo "consented to for the directory $tenant"
echo "Administrators of other directories consent at"
echo "  https://login.microsoftonline.com/THEIR-DIRECTORY/adminconsent?client_id=$MEMBERS_AUDIENCE"
