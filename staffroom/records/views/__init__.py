"""Pages of the ledgers: entries, activities with attendance and costs, instruments, prices, results files."""
