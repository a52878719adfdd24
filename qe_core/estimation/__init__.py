"""From features to expected errors: training, prediction, evaluation, promotion."""
