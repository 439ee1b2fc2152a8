// Every screen, as every role, in both languages and on a phone: nothing broken, untranslated, cut off or hard to use, and
// nothing in any answer that the role may not see.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { ask, devOf, launch, leave, pageOf, PATIENCE, sealedValues } from './session.mjs'

const dev = devOf()
const base = process.env.BASE ?? dev.api
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const everything = process.env.CRAWL === 'all'
let browser, sealed
before(async () => {
  browser = await launch()
  sealed = await sealedValues(dev)
})
after(() => leave(browser))

/** The table of roles and routes, as its test keeps it: what a role asks for is in it. */
const short = { hr_admin: 'hr', department_head: 'head', employee: 'employee', reviewer: 'reviewer', auditor: 'auditor', it_ops: 'it' }
const routes = readFileSync(resolve(import.meta.dirname, '../../api/testdata/routes.golden'), 'utf8')
  .split('\n')
  .slice(1)
  .filter(Boolean)
  .map((line) => {
    const [route, who] = line.split(/ {2,}/)
    const [method, path] = route.split(' ')
    return { method, path: new RegExp(`^${path.replace(/\{[a-z_]+\}/g, '[^/]+')}$`), who: who.split(' '), fixed: !path.includes('{') }
  })
  .sort((a, b) => Number(b.fixed) - Number(a.fixed))
const mayCall = (role, method, path) => {
  const route = routes.find((r) => r.method === method && r.path.test(path))
  return !!route && (route.who.includes('everyone') || route.who.includes(short[role]))
}

/** What only some roles are told, wherever it stands in an answer. */
const told = {
  external_id: ['hr_admin', 'it_ops'],
  workflow: ['it_ops'],
  judgement: ['hr_admin', 'reviewer', 'auditor'],
  written: ['hr_admin', 'reviewer', 'auditor'],
  enrolment_code: [],
  password: [],
}

/** What is in an answer that the role may not see. */
function wrongIn(answer, role, me, tiers) {
  const wrong = []
  const walk = (value, key) => {
    if (Array.isArray(value)) return value.forEach((v) => walk(v, key))
    if (value === null || typeof value !== 'object') return
    for (const [k, v] of Object.entries(value)) {
      if (told[k] && v !== null && v !== '' && typeof v !== 'boolean' && !told[k].includes(role)) wrong.push(`"${k}" is told`)
      walk(v, k)
    }
    // A file: what the permissions table keeps from the role is not even masked in it.
    if (Array.isArray(value.fields) && value.employee_no && value.fields[0]?.access && value.id !== me.employee_id) {
      for (const f of value.fields) {
        if (f.access === 'value' && f.requires_disclosure) wrong.push(`the value of ${f.key} is shown`)
        if (f.access === 'masked' && !tiers.some((t) => t.grants.length > 0)) wrong.push(`${f.key} is there, though no tier of the role may look`)
      }
    }
    // People of other departments are none of a head's business, and others none of an employee's.
    if (value.employee_no && value.hired_on && value.id !== me.employee_id) {
      if (role === 'employee') wrong.push(`the file of ${value.employee_no} is there`)
      if (role === 'department_head' && !me.departments.includes(value.department)) wrong.push(`${value.employee_no} is of another department`)
    }
  }
  walk(answer, '')
  return wrong
}

/** The tiers that a role is in by itself, with what they grant. */
async function tiersOf(role) {
  const { tiers, grants } = await ask(dev, 'permissions', 'reviewer')
  return tiers.filter((t) => t.role === role).map((t) => ({ key: t.key, grants: (grants ?? []).filter((g) => g.tier === t.key) }))
}

/** The screens of a role: those of its menu, and one of each that they lead to. */
async function screensOf(page, role) {
  const menu = await page.locator('nav a').evaluateAll((links) => links.map((a) => a.getAttribute('href').replace(/^\/console$/, '/console/')))
  const leads = { departures: 'departures', people: 'employees', approvals: 'approvals', cases: 'support-cases', requests: 'subject-requests' }
  const screens = [...menu]
  for (const [screen, list] of Object.entries(leads)) {
    if (!menu.includes(`/console/${screen}`)) continue
    const id = (await ask(dev, list, role)).items?.[0]?.id
    if (id) screens.push(`/console/${screen}/${id}`)
  }
  if (menu.includes('/console/retention')) screens.push('/console/retention?tab=holds', '/console/retention?tab=purges')
  if (role === 'hr_admin') {
    screens.push('/console/people/import', '/console/contacts', '/console/cuts/new', '/console/departures/batch')
    const batch = (await ask(dev, 'departure-batches', role)).items?.[0]?.id
    if (batch) screens.push(`/console/departures/batch?file=${batch}`)
  }
  if (['hr_admin', 'reviewer', 'auditor', 'it_ops'].includes(role)) screens.push('/console/successions')
  if (menu.includes('/console/permissions')) screens.push('/console/fields')
  if (menu.includes('/console/settings')) screens.push('/console/organisation', '/console/calendars')
  return screens
}

/** Waits until the screen has what it asked for, and has shown it. */
async function settled(page, pending) {
  await page.locator('#content h1').first().waitFor()
  const end = Date.now() + PATIENCE
  for (let calm = 0; calm < 2 && Date.now() < end; ) {
    const busy = pending.size > 0 || (await page.evaluate(() => !!document.querySelector('#content .ant-skeleton, #content .ant-spin-spinning')))
    calm = busy ? 0 : calm + 1
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 20))))
  }
}

// What axe has looked at, of all roles: elements by what they are and within what, at a width. What is the same again, as
// the frame around each screen or the next row of a table, and in the other language, is not looked at again.
const seenByAxe = new Set()

/** Has axe look at what it has not seen. */
async function accessible(page, width) {
  const hashes = await page.evaluate(() => {
    const of = new Map([[null, 0]])
    window.looked = [...document.documentElement.querySelectorAll('*')].filter((e) => !e.closest('head, svg *'))
    return window.looked.map((e) => {
      const text = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())
      const named = ['aria-label', 'aria-labelledby', 'alt', 'title', 'placeholder'].filter((name) => e.getAttribute(name))
      const is = `${e.tagName} ${e.className?.baseVal ?? e.className} ${e.getAttribute('role')} ${e.getAttribute('type')} ${e.getAttribute('style')?.match(/(color|background|opacity|font)[^;]*/g)} ${named} ${text} ${e.getBoundingClientRect().width > 0} ${e.ariaHidden} ${e.ariaDisabled} ${e.tabIndex}`
      let hash = of.get(e.parentElement) ?? 0
      for (let i = 0; i < is.length; i++) hash = (hash * 31 + is.charCodeAt(i)) | 0
      of.set(e, hash)
      return hash
    })
  })
  const fresh = hashes.flatMap((hash, i) => (seenByAxe.has(`${width} ${hash}`) && !everything ? [] : [i]))
  if (fresh.length === 0) return []
  for (const hash of hashes) seenByAxe.add(`${width} ${hash}`)
  if (!(await page.evaluate(() => !!window.axe))) await page.evaluate(axe)
  return page.evaluate(
    async ([fresh, whole]) => {
      // The parent of the topmost of them: some rules are about what stands in what.
      const is = new Set(fresh.map((i) => window.looked[i]))
      const tops = [...new Set([...is].filter((e) => e.isConnected && !is.has(e.parentElement)).map((e) => e.parentElement ?? e))]
      if (!whole && tops.length === 0) return [] // it went meanwhile
      const { violations } = await axe.run(whole || tops.includes(document.documentElement) ? document : { include: tops }, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'], resultTypes: ['violations'] })
      return violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.slice(0, 2).map((n) => n.html.slice(0, 160)).join(' | ')}`)
    },
    [fresh, everything],
  )
}

async function check(page, { role, language, width, at, wrong }) {
  const seen = await page.evaluate(() => ({
    text: document.body.innerText,
    quoted: [...document.querySelectorAll('#content [lang^=zh]')].map((e) => e.innerText), // Chinese that says it is
    over: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    skeletons: document.querySelectorAll('#content > .ant-skeleton').length,
    kept: JSON.stringify([location.href, document.title, { ...localStorage }, { ...sessionStorage }, history.state, document.cookie]),
    page: document.documentElement.outerHTML,
  }))
  if (seen.over > 1) wrong.push(`${at}: ${seen.over} px too wide`)
  if (seen.skeletons > 0) wrong.push(`${at}: still loading`)
  for (const code of seen.text.match(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|\b[a-z]+_[a-z_]+\b|\bworkflow\b|\{\{.*?\}\}|\bundefined\b|\bNaN\b/g) ?? []) {
    if (!(role === 'it_ops' && code === 'workflow') && !/@|^it_ops$/.test(code)) wrong.push(`${at}: people read "${code}"`)
  }
  const english = seen.quoted.reduce((text, quoted) => text.replace(quoted, ''), seen.text)
  if (language === 'en' && width > 600 && /[\u4e00-\u9fff]{6,}/.test(english)) wrong.push(`${at}: Chinese in English: ${english.match(/[\u4e00-\u9fff]{6,}/)[0]}`)
  for (const value of sealed) if (seen.kept.includes(value) || seen.page.includes(value)) wrong.push(`${at}: a sealed value is in the page or in what the browser keeps`)
  for (const violation of await accessible(page, width)) wrong.push(`${at}: ${violation}`)
}

const roles = ['hr_admin', 'reviewer', 'auditor', 'it_ops', 'department_head', 'employee']
const languages = everything ? ['zh', 'en'] : ['zh']
const wide = { width: 1440, height: 900 }
const narrow = { width: 360, height: 780 }

describe('every screen', { concurrency: Number(process.env.CRAWLERS ?? 2) }, () => {
  for (const role of roles) {
    test(role, async () => {
      const me = await ask(dev, 'me', role)
      me.departments = (await ask(dev, 'departments?limit=200')).items.filter((d) => d.head?.employee_id === me.employee_id).flatMap((d) => [d.name_zh, d.name_en])
      const tiers = await tiersOf(role)
      const wrong = []
      const pending = new Set()
      const reading = []
      let at = '/'
      const page = await pageOf(browser, dev, role, { base })
      page.on('console', (m) => ['error', 'warning'].includes(m.type()) && wrong.push(`${at}: the browser says: ${m.text()}`))
      page.on('pageerror', (e) => wrong.push(`${at}: ${e.message}`))
      const isCall = (request) => new URL(request.url()).pathname.startsWith('/api/v1/') && !/\/events$/.test(new URL(request.url()).pathname)
      page.on('request', (r) => isCall(r) && pending.add(r))
      for (const end of ['requestfinished', 'requestfailed']) page.on(end, (r) => pending.delete(r))
      page.on('response', (response) => {
        const request = response.request()
        if (!isCall(request)) return
        const path = new URL(request.url()).pathname
        const where = at
        if (!mayCall(role, request.method(), path)) wrong.push(`${where}: it asks for ${path}, which is not the role's`)
        if (response.status() === 403) wrong.push(`${where}: ${path} is refused`)
        reading.push(
          response.text().then(
            (text) => {
              for (const value of sealed) if (text.includes(value)) wrong.push(`${where}: a sealed value is in the answer of ${path}`)
              if (response.headers()['content-type']?.includes('json')) for (const w of wrongIn(JSON.parse(text), role, me, tiers)) wrong.push(`${where}: ${path}: ${w}`)
            },
            () => undefined, // the page was left before it came
          ),
        )
      })
      await page.goto(`${base}/console/`)
      await page.locator('nav a').first().waitFor()
      const screens = await screensOf(page, role)
      for (at of screens) {
        for (const language of languages) {
          if (everything) await page.addInitScript((l) => localStorage.setItem('lethe.language', l), language)
          await page.setViewportSize(wide)
          await page.goto(base + at)
          await settled(page, pending).catch(() => wrong.push(`${at}: no heading`))
          await check(page, { role, language, ...wide, at, wrong })
          await page.setViewportSize(narrow)
          await settled(page, pending).catch(() => wrong.push(`${at}: no heading`))
          await check(page, { role, language, ...narrow, at: `${at} (360 px)`, wrong })
        }
        if (everything) continue
        // The language is switched where one is, which reads everything anew.
        await page.getByRole('button', { name: 'English' }).click()
        await page.locator('html[lang=en]').waitFor()
        await settled(page, pending).catch(() => wrong.push(`${at}: no heading`))
        await check(page, { role, language: 'en', ...narrow, at: `${at} (en, 360 px)`, wrong })
        await page.setViewportSize(wide)
        await settled(page, pending).catch(() => wrong.push(`${at}: no heading`))
        await check(page, { role, language: 'en', ...wide, at: `${at} (en)`, wrong })
        await page.evaluate(() => localStorage.setItem('lethe.language', 'zh'))
      }
      await Promise.all(reading)
      await page.context().close()
      assert.deepEqual([...new Set(wrong)], [])
    })
  }
})
