# What differs in staging. Replace project, project_number and alert_email before the first deploy (docs/operations.md).
environment    = "staging"
project        = "change-me-onhand-staging"
project_number = "100000000000"
alert_email    = "oncall@example.com"

secret_versions = {
  admin-password         = 1
  auth-signing-key       = 1
  basic-auth-password    = 1
  metrics-token          = 1
  shipbob-api-token      = 1
  shipbob-webhook-secret = 1
  stord-api-token        = 1
  stord-webhook-secret   = 1
}

settings = {
  ADMIN_EMAIL         = "admin@example.com"
  BASIC_AUTH_USERNAME = "onhand"
}
