import { useJobs } from '../lib/jobs';
import { count, duration, percent } from '../lib/numbers';
import { useStudio } from '../lib/studio';
import type { Job } from '../lib/types';

/* What the server's machine works on for long. Nothing at all while it does not. */
export function Jobs() {
  const { features } = useStudio();
  const jobs = useJobs(features.jobs);
  if (jobs.length === 0) return null;
  return (
    <aside class="jobs" aria-label="Long jobs on the server">
      <ul>
        {jobs.map((job) => (
          <JobView key={job.process ?? job.name} job={job} />
        ))}
      </ul>
    </aside>
  );
}

function JobView({ job }: { job: Job }) {
  const share = job.total > 0 ? Math.min(1, Math.max(0, job.done / job.total)) : 0;
  const left = job.seconds_left ?? null;
  const words = left !== null && job.done > 0 ? `${duration(left)} left` : 'just begun';
  return (
    <li>
      <span class="job-name">{job.name}</span>
      <span class="job-text" title={job.text}>
        {job.text ?? ''}
      </span>
      <span class="job-left">{words}</span>
      <span
        class="job-track"
        role="progressbar"
        aria-label={`Progress: ${job.name}`}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(share * 100)}
        aria-valuetext={`${percent(share)}, ${job.done} of ${count(job.total, 'step')}, ${words}`}
      >
        <span class="job-fill" style={{ transform: `scaleX(${share})` }} />
      </span>
    </li>
  );
}
