package identity

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"lethe/internal/database"
	"lethe/models"
)

// EnrolmentLasts is how long an owner has to set the credentials.
const EnrolmentLasts = 72 * time.Hour

// What can be wrong with an enrolment.
var (
	ErrEnrolment        = errors.New("the enrolment code is wrong, was used, or has expired")
	ErrNotYourHalf      = errors.New("the enrolment code is given to those who asked for it and approved it")
	ErrAlreadyDelivered = errors.New("the secret was shown before; it is shown once")
)

// NewUser is an order for a user.
type NewUser struct {
	EmployeeID uuid.UUID
	Login      string
	Roles      []models.Role
}

// CreateUser makes a user who waits for its owner to enrol. It takes two people, of whom by is the
// one who asked; the other, who approved, is found behind the context. Each of them collects one
// half of the enrolment code ([EnrolmentCode]) and gives it to the owner, so that neither can enrol
// in the owner's place. It is what the operation "user.create" runs; approvals come before it.
func CreateUser(tx *database.Tx, by models.Actor, n NewUser) (models.User, error) {
	if err := n.Check(tx); err != nil {
		return models.User{}, err
	}
	user, err := insertUser(tx, by, models.User{
		EmployeeID: n.EmployeeID, Login: n.Login, State: models.UserEnrolling, CreatedBy: by.ID(), CredentialsSetBy: by.ID(),
	})
	if err != nil {
		return user, err
	}
	for _, role := range n.Roles {
		if err := Grant(tx, user.ID, role, by); err != nil {
			return user, err
		}
	}
	return user, expectEnrolment(tx, user.ID, by, *user.LedgerEntryID, EnrolmentLasts)
}

// Check is why [CreateUser] would refuse, if it would.
func (n NewUser) Check(tx *database.Tx) error {
	login := normalLogin(n.Login)
	var found struct {
		Taken  bool
		Status models.EmployeeStatus
	}
	err := tx.DB().Raw("SELECT EXISTS (SELECT FROM users WHERE login = ?) AS taken, COALESCE((SELECT status FROM employees WHERE id = ?), '') AS status",
		login, n.EmployeeID).Scan(&found).Error
	if err != nil {
		return fmt.Errorf("looking for a login: %w", database.Hide(err))
	}
	cut, err := suspended(tx, n.EmployeeID)
	switch {
	case err != nil:
		return err
	case cut:
		return ErrSuspended
	case len(n.Roles) == 0:
		return ErrRole
	case !loginForm.MatchString(login):
		return ErrLogin
	case found.Taken:
		return ErrLoginTaken
	case found.Status == "":
		return ErrNoSuchPerson
	case hasLeft(found.Status):
		return ErrLeft
	case slices.ContainsFunc(n.Roles, func(r models.Role) bool { return !validRole(r) }):
		return ErrRole
	}
	return nil
}

// Reset takes a user's credentials away: password, second factor, recovery codes, linked logins,
// sessions and tokens end, and the owner enrols anew with a code as after [CreateUser]. It also brings back a
// disabled user. It is what the operation "user.reset" runs.
func (s *Service) Reset(tx *database.Tx, by models.Actor, userID uuid.UUID) (models.User, error) {
	user, err := Resettable(tx, userID)
	if err != nil {
		return user, err
	}
	entry, err := record(tx, by, "user.reset", user, nil)
	if err != nil {
		return user, err
	}
	err = database.UpdateOne(tx.DB().Model(&models.User{}).Where("id = ?", userID).Updates(map[string]any{
		"state": models.UserEnrolling, "password_hash": nil, "password_set_at": nil, "totp_sealed": models.Sealed{},
		"totp_pending_sealed": models.Sealed{}, "credentials_set_by": by.ID(),
		"access_ended_at": gorm.Expr("lethe_now()"), "ledger_entry_id": entry,
	}))
	if err != nil {
		return user, fmt.Errorf("resetting a user: %w", err)
	}
	user.State = models.UserEnrolling
	for _, forgotten := range []any{&models.RecoveryCode{}, &models.Enrolment{}} {
		if err := tx.DB().Where("user_id = ?", userID).Delete(forgotten).Error; err != nil {
			return user, database.Wrap("resetting a user", err)
		}
	}
	if err := tx.DB().Exec("DELETE FROM known_places WHERE user_id = ?", userID).Error; err != nil {
		return user, database.Wrap("resetting a user", err)
	}
	if err := errors.Join(endAccess(tx, entry, "user_id = ?", userID), endLinks(tx, user, by)); err != nil {
		return user, err
	}
	return user, expectEnrolment(tx, userID, by, entry, EnrolmentLasts)
}

// Resettable locks a user, and is why [Service.Reset] would refuse, if it would.
func Resettable(tx *database.Tx, userID uuid.UUID) (models.User, error) {
	user, err := lockUser(tx, userID)
	if err != nil {
		return user, err
	}
	owner, err := database.First[models.Employee](tx.DB().Select("status").Where("id = ?", user.EmployeeID))
	if err == nil && hasLeft(owner.Status) {
		return user, ErrOwnerLeft
	}
	if err != nil {
		return user, database.Wrap("reading a user's owner", err)
	}
	cut, err := suspended(tx, user.EmployeeID)
	if err == nil && cut {
		err = ErrSuspended
	}
	return user, err
}

func hasLeft(status models.EmployeeStatus) bool {
	return status == models.StatusDeparted || status == models.StatusPurged
}

// expectEnrolment lets the owner enrol, once both halves of the code are collected.
func expectEnrolment(tx *database.Tx, userID uuid.UUID, by models.Actor, entry uuid.UUID, lasts time.Duration) error {
	now, err := tx.Now()
	if err != nil {
		return err
	}
	e := models.Enrolment{UserID: userID, FirstBy: by.ID(), ExpiresAt: now.Add(lasts), LedgerEntryID: &entry}
	if second := models.CallerOf(tx.Context()).Actor; second.ID() != nil && second.EmployeeID != by.EmployeeID {
		e.SecondBy = second.ID()
	}
	return database.Wrap("preparing an enrolment", tx.DB().Create(&e).Error)
}

// EnrolmentCode gives by the half of a user's enrolment code that is theirs; the whole, if nobody
// approved. It is drawn as it is given and only a hash stays: a second call is ErrAlreadyDelivered.
// Both halves are the user: it takes what [Dangerous] wants.
func EnrolmentCode(tx *database.Tx, by Bearer, userID uuid.UUID) (string, error) {
	by, err := Dangerous(tx, by)
	if err != nil {
		return "", err
	}
	return giveHalf(tx, by.Actor, userID)
}

func giveHalf(tx *database.Tx, by models.Actor, userID uuid.UUID) (string, error) {
	user, err := lockUser(tx, userID)
	if err != nil {
		return "", err
	}
	e, err := database.First[models.Enrolment](tx.DB().Where("user_id = ? AND expires_at > lethe_now()", userID))
	if err != nil {
		return "", database.Found("reading an enrolment", err, ErrEnrolment)
	}
	var column string
	var given []byte
	switch {
	case e.FirstBy != nil && *e.FirstBy == by.EmployeeID:
		column, given = "first_hash", e.FirstHash
	case e.SecondBy != nil && *e.SecondBy == by.EmployeeID:
		column, given = "second_hash", e.SecondHash
	default:
		return "", ErrNotYourHalf
	}
	if given != nil {
		return "", ErrAlreadyDelivered
	}
	entry, err := record(tx, by, "enrolment_code.delivered", user, map[string]string{"half": strings.TrimSuffix(column, "_hash")})
	if err != nil {
		return "", err
	}
	code := newCode(10)
	if err := setCode(tx, userID, column, code, entry); err != nil {
		return "", err
	}
	return code, keepHalf(tx, user.ID, by.EmployeeID, entry)
}

// wholeCode stores a code that nobody needs to collect: the host's, at bootstrap.
func wholeCode(tx *database.Tx, userID, entry uuid.UUID) (string, error) {
	code := newCode(20)
	return code, setCode(tx, userID, "first_hash", code, entry)
}

func setCode(tx *database.Tx, userID uuid.UUID, column, code string, entry uuid.UUID) error {
	err := database.UpdateOne(tx.DB().Model(&models.Enrolment{}).Where("user_id = ?", userID).
		Updates(map[string]any{column: codeHash(code), "ledger_entry_id": entry}))
	return database.Wrap("storing an enrolment code", err)
}

// UserView is a user with the roles that it holds.
type UserView struct {
	models.User
	EmployeeNo, Name string
	// OwnerConfirmed: nobody was given a half of its code, or its owner is confirmed since.
	OwnerConfirmed bool
	Roles          []models.Role `gorm:"-"`
}

// UserFilter chooses users.
type UserFilter struct {
	// Search is part of a login; Named says whose person is called so, on columns of employees.
	Search string
	Named  clause.Expr
	After  uuid.UUID
	Limit  int
}

// Users lists users after a cursor (an id, uuid.Nil to begin), and says whether there are more.
func Users(ctx context.Context, db *database.DB, f UserFilter) (views []UserView, more bool, err error) {
	limit := f.Limit
	q := userViews(db.Read(ctx)).Where("users.id > ?", f.After)
	if f.Search != "" {
		q = q.Where("(strpos(users.login, ?) > 0 OR ?)", normalLogin(f.Search), f.Named)
	}
	err = q.
		Order(clause.OrderByColumn{Column: clause.Column{Table: "users", Name: "id"}}).Limit(limit + 1).Scan(&views).Error
	if err != nil {
		return nil, false, database.Wrap("listing users", err)
	}
	if len(views) > limit {
		views, more = views[:limit], true
	}
	return views, more, addRoles(db.Read(ctx), views)
}

// GetUser is one user; none is database.ErrNotFound.
func GetUser(ctx context.Context, db *database.DB, id uuid.UUID) (UserView, error) {
	var views []UserView
	if err := userViews(db.Read(ctx)).Where("users.id = ?", id).Scan(&views).Error; err != nil {
		return UserView{}, database.Wrap("reading a user", err)
	}
	if len(views) == 0 {
		return UserView{}, database.ErrNotFound
	}
	return views[0], addRoles(db.Read(ctx), views)
}

func userViews(g *gorm.DB) *gorm.DB {
	return g.Model(&models.User{}).Joins("JOIN employees e ON e.id = users.employee_id").Select("users.*", "e.employee_no", "e.name",
		"NOT EXISTS (SELECT FROM enrolment_halves h WHERE h.user_id = users.id AND h.confirmed_at IS NULL) AS owner_confirmed")
}

func addRoles(g *gorm.DB, views []UserView) error {
	ids := make([]uuid.UUID, len(views))
	for i, v := range views {
		ids[i] = v.ID
	}
	var roles []models.UserRole
	err := g.Where("user_id IN ? AND revoked_at IS NULL", ids).Order(clause.OrderByColumn{Column: clause.Column{Name: "role"}}).Find(&roles).Error
	if err != nil {
		return database.Wrap("reading the roles of users", err)
	}
	for _, r := range roles {
		i := slices.Index(ids, r.UserID)
		views[i].Roles = append(views[i].Roles, r.Role)
	}
	return nil
}
