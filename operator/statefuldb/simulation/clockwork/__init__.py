"""What makes a run the same each time: chance, time, turns of threads, and the story of it."""
