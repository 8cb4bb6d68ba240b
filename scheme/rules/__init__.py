"""Business rules: each module turns a request and the policy into one part of a supply scheme."""
