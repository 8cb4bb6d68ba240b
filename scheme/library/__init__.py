"""The reserve library (业扩项目储备库): projects that may become applications, and what became of them."""
