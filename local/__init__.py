"""Run the whole pipeline on one machine: emulator, local SES, deployment, mail, and a check of the results."""
