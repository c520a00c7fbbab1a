package portal

import (
	"net/http"
	"regexp"

	"fiducial/internal/fault"
	"fiducial/internal/labeling"
	"fiducial/internal/labeling/queue"
)

type jobsPage struct {
	Note string
	Jobs []jobCard
}

type jobCard struct {
	labeling.Offer
	Type    string
	Percent int64
}

// notes are what the list of jobs can be asked to say; nothing that a link
// brings is shown.
var notes = map[string]string{
	"no-task":  "There is no task for you in that job right now. Somebody else may be working on the last ones.",
	"job-done": "That job is done. Thank you.",
	"released": "The task was given back.",
	"stopped":  "Your work is saved. Resume it before its time is up.",
}

func noteFor(err error) string {
	if fault.CodeOf(err) == queue.CodeJobEnded {
		return "job-done"
	}
	return "no-task"
}

func (p *Portal) jobs(v *visit) (reply, error) {
	offers, err := p.Queue.Offers(v.Context(), v.labeler())
	if err != nil {
		return nil, err
	}
	data := jobsPage{Note: notes[v.URL.Query().Get("note")]}
	for _, o := range offers {
		card := jobCard{Offer: o, Type: o.TaskType.Title()}
		if o.Flow != "" {
			if o.Waiting == 0 && o.Resume == "" {
				continue // it goes on for ever, and has nothing for this worker now
			}
			card.Type = "Human review"
			card.Total = 0 // nobody knows what is still to come
		}
		data.Jobs = append(data.Jobs, card)
	}
	return page{"jobs", http.StatusOK, v, data}, nil
}

// jobName is the name of a labeling job, or of what runs the tasks of a flow
// definition.
var jobName = regexp.MustCompile(`^([a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}|flow-definition\.[a-z0-9-]{1,63}\.[a-z0-9]{8})$`)

// take hands the worker a task of the job named in the path.
func (p *Portal) take(v *visit) (labeling.Assignment, error) {
	name := v.PathValue("job")
	if !jobName.MatchString(name) {
		return labeling.Assignment{}, fault.Newf("portal.take", fault.NotFound, "There is no such job.")
	}
	return p.takeFrom(v, name)
}

func (p *Portal) takeFrom(v *visit, job string) (labeling.Assignment, error) {
	a, err := p.Queue.Take(v.Context(), v.labeler(), job)
	if err != nil {
		return a, err
	}
	return a, p.record(v, "TakeTask", &a, nil)
}

func (p *Portal) start(v *visit) (reply, error) {
	a, err := p.take(v)
	if err != nil {
		return nil, err
	}
	return redirect{"/tasks/" + a.ID}, nil
}

func (p *Portal) next(v *visit) (reply, error) {
	if err := v.empty(); err != nil {
		return nil, err
	}
	a, err := p.take(v)
	return p.after(v, a, err)
}
