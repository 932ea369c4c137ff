"""Does an assistant get it right: journeys, mistakes, and a runner for real models."""
