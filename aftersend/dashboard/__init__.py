"""Render values as the HTML of a CloudWatch dashboard's custom widgets. Pure: what is shown is read elsewhere."""
