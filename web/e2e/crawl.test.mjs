// Every screen, as every role, in both languages and on a phone: nothing broken, untranslated, cut off or hard to use.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'

import { launch, pageOf } from './session.mjs'

const dev = JSON.parse(readFileSync(process.env.DEV, 'utf8'))
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
let browser
before(async () => (browser = await launch()))
after(() => browser.close())

const token = (role) => ({ Authorization: `Bearer ${dev.tokens[role]}` })
const first = async (path, role) => {
  const answer = await (await fetch(`${dev.api}/api/v1/${path}`, { headers: token(role) })).json()
  return answer.items?.[0]?.id
}

/** The screens of a role: those of its menu, and one of each that they lead to. */
async function screensOf(page, role) {
  const menu = await page.locator('nav a').evaluateAll((links) => links.map((a) => a.getAttribute('href').replace(/^\/console$/, '/console/')))
  const leads = { 'departures': 'departures', 'people': 'employees', 'approvals': 'approvals', 'cases': 'support-cases' }
  const screens = [...menu]
  for (const [screen, list] of Object.entries(leads)) {
    if (!menu.includes(`/console/${screen}`)) continue
    const id = await first(list, role)
    if (id) screens.push(`/console/${screen}/${id}`)
  }
  return screens
}

// Each screen once in each language, and each width; CRAWL=all: everything with everything.
const all = [['zh', 1440], ['en', 1440], ['zh', 360], ['en', 360]]
const variants = (role) => (process.env.CRAWL === 'all' ? all : ['hr_admin', 'employee'].includes(role) ? [all[0], all[3]] : [all[0]])

for (const role of ['hr_admin', 'department_head', 'employee', 'reviewer', 'auditor', 'it_ops']) {
  for (const [language, width] of variants(role)) {
    test(`${role}, ${language}, ${width} px`, async () => {
      const page = await pageOf(browser, dev, role, { language, width })
      const wrong = []
      let at = '/'
      page.on('console', (m) => ['error', 'warning'].includes(m.type()) && wrong.push(`${at}: the browser says: ${m.text()}`))
      page.on('pageerror', (e) => wrong.push(`${at}: ${e.message}`))
      await page.goto(`${dev.api}/console/`)
      await page.locator('h1').first().waitFor()
      if (width < 992) await page.getByRole('button', { name: language === 'zh' ? '菜单' : 'Menu' }).click()
      await page.locator('nav a').first().waitFor()
      for (at of await screensOf(page, role)) {
        await page.goto(dev.api + at)
        await page.locator('#content h1').first().waitFor({ timeout: 10_000 }).catch(() => wrong.push(`${at}: no heading`))
        await page.waitForFunction(() => !document.querySelector('#content .ant-skeleton, #content .ant-spin-spinning'), undefined, { timeout: 10_000 }).catch(() => undefined)
        await page.waitForTimeout(100)
        const seen = await page.evaluate(() => ({
          text: document.body.innerText,
          over: document.documentElement.scrollWidth - document.documentElement.clientWidth,
          skeletons: document.querySelectorAll('#content > .ant-skeleton').length,
        }))
        if (seen.over > 1) wrong.push(`${at}: ${seen.over} px too wide`)
        if (seen.skeletons > 0) wrong.push(`${at}: still loading`)
        for (const code of seen.text.match(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|\b[a-z]+_[a-z_]+\b|\bworkflow\b|\{\{.*?\}\}|\bundefined\b|\bNaN\b/g) ?? []) {
          if (!(role === 'it_ops' && code === 'workflow') && !/@|^it_ops$/.test(code)) wrong.push(`${at}: people read "${code}"`)
        }
        if (language === 'en' && width > 600 && /[\u4e00-\u9fff]{6,}/.test(seen.text)) wrong.push(`${at}: Chinese in English: ${seen.text.match(/[\u4e00-\u9fff]{6,}/)[0]}`)
        await page.evaluate(axe)
        const { violations } = await page.evaluate(() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] }))
        for (const v of violations) wrong.push(`${at}: ${v.id}: ${v.help}: ${v.nodes.slice(0, 2).map((n) => n.html.slice(0, 160)).join(' | ')}`)
      }
      await page.context().close()
      assert.deepEqual(wrong, [])
    })
  }
}
