# What differs in dev. Replace project, project_number and alert_email before the first deploy (docs/operations.md).
environment    = "dev"
project        = "change-me-onhand-dev"
project_number = "100000000000"
alert_email    = "oncall@example.com"

secret_versions = {
  admin-password      = 1
  auth-signing-key    = 1
  basic-auth-password = 1
}

settings = {
  ADMIN_EMAIL         = "admin@example.com"
  BASIC_AUTH_USERNAME = "onhand"
}
