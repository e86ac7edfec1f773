"""What people type in this room: questions, lotteries, goals."""
