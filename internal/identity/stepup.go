package identity

import "time"

// StepUpLasts is how long a re-authentication counts for dangerous steps (I22).
const StepUpLasts = 5 * time.Minute
