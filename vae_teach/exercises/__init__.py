"""Floor 5: what an exercise is, and the one judge of all answers; chapters hold the exercises."""
