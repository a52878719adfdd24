"""One file per page: widgets, one use case, a chart."""
