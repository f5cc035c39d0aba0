-- The long way to read a job.

return { know = know, place = place, tell = tell }
