"""Send with other projects' clients, as released, through the local SES (`make test-clients`)."""
