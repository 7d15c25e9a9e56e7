"""The life of weights after they shipped: lessons from real runs, further training, and the gate before they go live.

lessons -> practice -> learn          real Feedback becomes questions of a further SA-GRPO run
compare -> gate                       new weights against the live ones on the held-out split; nothing goes round it
shown                                 one update from Feedback that ansible-runner collected, as a command
"""
