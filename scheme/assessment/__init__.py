"""Reserve projects (储备项目) assessed on the grid: each alone, and one after another in the order of the queue."""
