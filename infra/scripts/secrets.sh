#!/bin/sh
# Makes the secrets of an environment in its Key Vault. A secret that is there is left alone, so run it as often as you
# like. Nothing secret is printed, and nothing stands in the arguments of a program, where others could see it.
#
#   AZURE_RESOURCE_GROUP=... MEMBERS_KEY_VAULT=... [MEMBERS_FUNCTION_APP=...] sh infra/scripts/secrets.sh
#
# azd runs it after provisioning, with these names from the outputs of the deployment. It goes through Azure Resource
# Manager, as the deployment does: it works with a vault that the internet cannot reach, and needs the right
# Microsoft.KeyVault/vaults/secrets/write, which a Contributor has.
set -eu

: "${AZURE_RESOURCE_GROUP:?is not set: the resource group of the environment}"
: "${MEMBERS_KEY_VAULT:?is not set: the output MEMBERS_KEY_VAULT (keyVaultName) of the deployment}"

umask 077
body=$(mktemp)
trap 'rm -f "$body"' EXIT INT TERM

subscription=$(az account show --query id --output tsv)
secrets="https://management.azure.com/subscriptions/$subscription/resourceGroups/$AZURE_RESOURCE_GROUP"
secrets="$secrets/providers/Microsoft.KeyVault/vaults/$MEMBERS_KEY_VAULT/secrets"
version="api-version=2026-05-15"
made=""

random() {
  head -c "$1" /dev/urandom | base64 | tr -d '\n'
}

is_there() {
  if answer=$(az rest --method get --url "$secrets/$1?$version" --output none 2>&1); then
    return 0
  fi
  case $answer in
    *"Not Found("*) return 1 ;; # az says the reason of a 404 like this, whatever its body says
  esac
  # Any other answer says nothing about the secret, and replacing one would end every API key.
  echo "Cannot tell whether the secret $1 is there: $answer" >&2
  exit 1
}

make() {
  name=$1 value=$2
  if is_there "$name"; then
    echo "$name: there already"
    return
  fi
  printf '{"properties": {"value": "%s"}}' "$value" >"$body"
  az rest --method put --url "$secrets/$name?$version" --body "@$body" --output none
  made=yes
  echo "$name: made"
}

make cursor-key "$(random 48)"
make key-peppers "[{\\\"version\\\": \\\"1\\\", \\\"secret\\\": \\\"$(random 48)\\\"}]"
make b2c-passwords "[\\\"$(random 36)\\\"]"

if [ -n "$made" ] && [ -n "${MEMBERS_FUNCTION_APP:-}" ]; then
  az functionapp restart --resource-group "$AZURE_RESOURCE_GROUP" --name "$MEMBERS_FUNCTION_APP" --output none
  echo "$MEMBERS_FUNCTION_APP: restarted, so that it reads them"
fi
