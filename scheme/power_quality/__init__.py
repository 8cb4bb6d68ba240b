"""Physics beyond loading and voltage (电能质量, 短路校验): pure rules on numbers, and the study that computes them."""
