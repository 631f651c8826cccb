output "address" {
  description = "Address of the load balancer, for the domain's A record; null without a domain."
  value       = one([for address in google_compute_global_address.edge : address.address])
}

output "functions" {
  description = "Address of each public function."
  value       = { for name, function in module.public : name => function.uri }
}

output "paths" {
  description = "The path prefixes each public function serves, for the smoke test."
  value       = { for name, facts in local.public : name => facts.paths }
}

output "worker" {
  description = "Address of the worker, reachable from inside only."
  value       = module.internal["worker"].uri
}
