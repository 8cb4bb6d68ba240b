"""Documents of a scheme: reply as docx and pdf, single-line diagram, location sketch."""
