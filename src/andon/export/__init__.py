"""Export: a trained model as one file that inspects without torch, with a certificate of its verdicts."""
