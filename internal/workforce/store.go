package workforce

import "context"

// Store keeps the state. Reads outside Write see what was committed.
type Store interface {
	Reader
	// Write runs fn with everything it reads and writes as one atomic step. fn
	// may run more than once, and touches nothing but its Tx. When Write
	// returns nil the change survives kill -9.
	Write(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error
}

// Reader looks things up. What is not there is a NotFound fault. Names of
// teams, usernames and e-mail addresses are compared by Key; groups exactly.
type Reader interface {
	TeamReader
	DirectoryReader
}

// TeamReader reads the workforce and its teams.
type TeamReader interface {
	LoadWorkforce(ctx context.Context) (Workforce, error)
	LoadTeam(ctx context.Context, name string) (Workteam, error)
	LoadTeams(ctx context.Context) ([]Workteam, error) // ordered by name
}

// DirectoryReader reads pools and who is in them. Lists are in the order of
// names, begin after the given one, and are at most limit long.
type DirectoryReader interface {
	LoadPool(ctx context.Context, id string) (UserPool, error)
	LoadPools(ctx context.Context, after string, limit int) ([]UserPool, error) // by id
	LoadClient(ctx context.Context, pool, id string) (UserPoolClient, error)
	LoadGroup(ctx context.Context, pool, name string) (Group, error)
	LoadGroups(ctx context.Context, pool, after string, limit int) ([]Group, error)
	LoadGroupsOf(ctx context.Context, workerID string) ([]Group, error)

	LoadWorker(ctx context.Context, id string) (Worker, error)
	LoadWorkerByName(ctx context.Context, pool, username string) (Worker, error)
	LoadWorkerBySub(ctx context.Context, pool, sub string) (Worker, error)
	LoadWorkerByEmail(ctx context.Context, pool, email string) (Worker, error)
	LoadWorkers(ctx context.Context, pool, after string, limit int) ([]Worker, error)
	LoadWorkersIn(ctx context.Context, pool, group, after string, limit int) ([]Worker, error)
}

// Tx changes things. Save makes or replaces; Drop of what is not there is no error.
type Tx interface {
	Reader
	SaveWorkforce(ctx context.Context, w Workforce) error
	DropWorkforce(ctx context.Context) error
	SaveTeam(ctx context.Context, t Workteam) error
	DropTeam(ctx context.Context, name string) error

	SavePool(ctx context.Context, p UserPool) error
	DropPool(ctx context.Context, id string) error // with everything in it
	SaveClient(ctx context.Context, c UserPoolClient) error
	SaveGroup(ctx context.Context, g Group) error
	DropGroup(ctx context.Context, pool, name string) error // with its memberships
	SaveWorker(ctx context.Context, w Worker) error
	DropWorker(ctx context.Context, id string) error // with its memberships
	SaveMembership(ctx context.Context, pool, group, workerID string) error
	DropMembership(ctx context.Context, pool, group, workerID string) error
}
