"""What a deployment says about itself."""
