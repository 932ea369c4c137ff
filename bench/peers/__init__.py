"""What the service is measured against: one file each, on the address and with the key that the environment names."""
