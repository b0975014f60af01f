"""The whole pipeline on one machine: emulator, local SES, mail, and a comparison of what came of it."""
