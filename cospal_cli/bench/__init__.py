"""What ``cospal bench`` measures: rates and ratios, each of them in one run."""
