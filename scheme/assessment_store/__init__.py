"""Assessments a store keeps: scenarios by name, what was asked, what is done of it, and what came out."""
