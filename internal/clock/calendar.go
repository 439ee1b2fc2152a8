package clock

import (
	"cmp"
	_ "embed" // the days off of China, and the weekends worked for them
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/de"
	"github.com/rickar/cal/v2/gb"
	"github.com/rickar/cal/v2/jp"
	"github.com/rickar/cal/v2/us"
)

// Place is where people work, as far as it decides which days are working days.
type Place struct {
	Jurisdiction string // "CN", "DE"
	// Region is a part of it with holidays of its own, such as "BY"; empty: not known, or it makes no difference.
	Region string
}

// SpecialDay is a day that is not what its day of the week says: a public holiday, or a weekend that is worked.
type SpecialDay struct {
	Date    Date
	Working bool
	// NameZh and NameEn are what it is called; of countries whose calendar is computed both are the country's own name.
	NameZh, NameEn string
}

// Noon is the time of day by which what waited for a working day is due.
const Noon TimeOfDay = 12 * 60 * 60

// ofYear are the special days of a place and year, in order.
type ofYear struct {
	days   []SpecialDay
	known  bool
	source string
}

// computed is a country whose holidays follow from its law; those that a year's decision adds are listed. What is doubtful
// (a holiday of some municipalities, one of companies) is left out: a date then comes earlier, never later.
type computed struct {
	national []*cal.Holiday
	regions  map[string][]*cal.Holiday // instead of the national ones
	from, to int                       // the years for which they are right
	source   string
}

func onceOn(name string, year int, month time.Month, day int) *cal.Holiday {
	return &cal.Holiday{Name: name, Month: month, Day: day, StartYear: year, EndYear: year, Func: cal.CalcDayOfMonth}
}

const library = "github.com/rickar/cal/v2 2.1.13"

var computedOnes = map[string]computed{
	"DE": {de.Holidays, germanStates(), 2020, 2099, library + "; Feiertagsgesetze der Länder"},
	"GB": {gb.Holidays, nil, 2020, 2099, library + "; bank holidays of England and Wales"},
	// Beyond 2032 the library does not know the days between two holidays.
	"JP": {jp.Holidays, nil, 2020, 2032, library + "; 国民の祝日に関する法律"},
	"US": {us.Holidays, nil, 2021, 2099, library + "; 5 U.S.C. § 6103"},
}

// germanStates are the holidays by state, with what the library lacks: Frauentag in Mecklenburg-Vorpommern since 2023, and
// the two days of remembrance of Berlin.
func germanStates() map[string][]*cal.Holiday {
	since2023 := de.Frauentag.Clone(&cal.Holiday{StartYear: 2023})
	return map[string][]*cal.Holiday{
		"BW": de.HolidaysBW, "BY": de.HolidaysBY, "BB": de.HolidaysBB, "HB": de.HolidaysHB, "HH": de.HolidaysHH, "HE": de.HolidaysHE,
		"NI": de.HolidaysNI, "NW": de.HolidaysNW, "RP": de.HolidaysRP, "SL": de.HolidaysSL, "SN": de.HolidaysSN, "ST": de.HolidaysST,
		"SH": de.HolidaysSH, "TH": de.HolidaysTH,
		"MV": append(slices.Clone(de.HolidaysMV), since2023),
		"BE": append(slices.Clone(de.HolidaysBE), onceOn("Tag der Befreiung", 2025, time.May, 8), onceOn("Tag des Volksaufstandes", 2028, time.June, 17)),
	}
}

// published is a year whose days off a government announces, with the weekends that are worked for them (调休).
type published struct {
	Year     int    `json:"year"`
	Source   string `json:"source"`
	Holidays []struct {
		Zh   string `json:"zh"`
		En   string `json:"en"`
		From Date   `json:"from"`
		To   Date   `json:"to"`
	} `json:"holidays"`
	Working []Date `json:"working"`
}

// A year that has not been announced when this is written is not in it, and is said to be unknown.
//
//go:embed holidays-cn.json
var chinese []byte

var publishedOnes = sync.OnceValue(func() map[string]map[int]published {
	var years []published
	if err := json.Unmarshal(chinese, &years); err != nil {
		panic(fmt.Errorf("reading the holidays of China: %w", err)) // a test reads them
	}
	cn := map[int]published{}
	for _, y := range years {
		cn[y.Year] = y
	}
	return map[string]map[int]published{"CN": cn}
})

// Regions are the parts of a jurisdiction with holidays of their own, sorted.
func Regions(jurisdiction string) []string {
	return slices.Sorted(maps.Keys(computedOnes[jurisdiction].regions))
}

// KnowsHolidays says whether there is a calendar of the jurisdiction for any year.
func KnowsHolidays(jurisdiction string) bool {
	_, is := computedOnes[jurisdiction]
	return is || publishedOnes()[jurisdiction] != nil
}

// HolidaysOf are the special days of a year, in order, and where they are from. Of a year that is not known there are none:
// Monday to Friday are its working days.
func (p Place) HolidaysOf(year int) (days []SpecialDay, source string, known bool) {
	y := p.year(year)
	return slices.Clone(y.days), y.source, y.known
}

// WorkingDay says whether people work there on a day: Monday to Friday but for public holidays, and weekends that are
// worked instead.
func (p Place) WorkingDay(d Date) bool {
	days := p.year(d.Year).days
	if i, special := slices.BinarySearchFunc(days, d, func(s SpecialDay, d Date) int { return s.Date.Compare(d) }); special {
		return days[i].Working
	}
	w := d.Weekday()
	return w != time.Saturday && w != time.Sunday
}

// AddWorkingDays is the n-th working day after d; with n 0 it is d.
func (p Place) AddWorkingDays(d Date, n int) Date {
	for n > 0 {
		if d = d.AddDays(1); p.WorkingDay(d) {
			n--
		}
	}
	return d
}

// NextNoon is noon of the next working day after the one that it is in a zone.
func (p Place) NextNoon(now time.Time, loc *time.Location) time.Time {
	return At(p.AddWorkingDays(Today(now, loc), 1), Noon, loc)
}

type placeAndYear struct {
	Place
	year int
}

var (
	years sync.Map // placeAndYear -> ofYear
	// The library keeps what it computes in its own variables.
	computing sync.Mutex
)

func (p Place) year(year int) ofYear {
	if y, ok := years.Load(placeAndYear{p, year}); ok {
		return y.(ofYear)
	}
	var y ofYear
	if announced, ok := publishedOnes()[p.Jurisdiction][year]; ok {
		y = announced.read()
	} else if c, ok := computedOnes[p.Jurisdiction]; ok && c.from <= year && year <= c.to {
		y = c.compute(p.Region, year)
	} else {
		return y // asked for by anybody, of any year: not kept
	}
	kept, _ := years.LoadOrStore(placeAndYear{p, year}, y)
	return kept.(ofYear)
}

func (p published) read() ofYear {
	y := ofYear{known: true, source: p.Source}
	for _, h := range p.Holidays {
		for d := h.From; !d.After(h.To); d = d.AddDays(1) {
			y.days = append(y.days, SpecialDay{Date: d, NameZh: h.Zh, NameEn: h.En})
		}
	}
	for _, d := range p.Working {
		y.days = append(y.days, SpecialDay{Date: d, Working: true, NameZh: "调休上班", NameEn: "Worked weekend"})
	}
	slices.SortFunc(y.days, func(a, b SpecialDay) int { return a.Date.Compare(b.Date) })
	return y
}

// compute has the holidays themselves and the days on which they are observed; New Year's Day of a Saturday is observed in
// the year before.
func (c computed) compute(region string, year int) ofYear {
	computing.Lock()
	defer computing.Unlock()
	all := c.national
	if r, ok := c.regions[region]; ok {
		all = r
	}
	found := map[Date]string{}
	for _, h := range all {
		for _, of := range []int{year, year + 1} {
			actual, observed := h.Calc(of)
			for _, at := range []time.Time{observed, actual} {
				if !at.IsZero() && at.Year() == year {
					d := DateOf(at)
					found[d] = cmp.Or(found[d], h.Name)
				}
			}
		}
	}
	y := ofYear{known: true, source: c.source}
	for d, name := range found {
		y.days = append(y.days, SpecialDay{Date: d, NameZh: name, NameEn: name})
	}
	slices.SortFunc(y.days, func(a, b SpecialDay) int { return a.Date.Compare(b.Date) })
	return y
}
