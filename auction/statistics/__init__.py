"""Statistics (统计): premium over start and reference, success rates, turnover, commission saved."""
