-- The slow path of reading a job.

return { know = know, place = place, tell = tell }
