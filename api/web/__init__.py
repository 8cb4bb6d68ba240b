"""The pages in the browser: static modules, one HTML frame, no build step; all figures come from the HTTP interface."""
