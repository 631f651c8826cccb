# What differs in production. Replace project, project_number and alert_email before the first deploy (docs/operations.md).
environment    = "production"
project        = "change-me-onhand-production"
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

domain         = "onhand.example.com"
deploy_account = "deploy@change-me-onhand-production.iam.gserviceaccount.com"

min_instances = {
  auth      = 1
  inventory = 1
  oos       = 1
}

budget = {
  billing_account = "000000-000000-000000"
  amount          = 200
}

pipeline = {
  repository = "example/onhand"
}
