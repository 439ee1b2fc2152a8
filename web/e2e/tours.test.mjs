// The tours: what each step points at is there, for somebody who may do what it shows.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { ask, day, devOf, launch, leave, pageOf, somebody, until } from './session.mjs'

const dev = devOf()
const base = process.env.BASE ?? dev.api
let browser
before(async () => (browser = await launch()))
after(() => leave(browser))

/** Something that waits for a second person, and that no other test decides about. */
let waiting
async function request() {
  if (waiting) return waiting
  const person = await somebody(dev, 'CN-008')
  const { id } = await ask(dev, 'departures', 'hr_admin', 'POST', { employee_id: person.id, kind: 'resignation', last_working_day: day(30) })
  const asked = await ask(dev, `departures/${id}/annulment`, 'hr_admin', 'POST', { reason: '选错了人', approval_reason: '选错了人' })
  return (waiting = asked.id ?? assert.fail(JSON.stringify(asked)))
}

const tours = [
  ['hr_admin', 'departures/new', 6],
  ['hr_admin', 'pleas', 5],
  ['hr_admin', async () => `departures/${(await ask(dev, 'departures')).items[0].id}`, 6],
  ['it_ops', 'cases', 4],
  ['it_ops', async () => `cases/${(await ask(dev, 'support-cases?state=open', 'it_ops')).items[0].id}`, 6],
  ['reviewer', async () => (await request(), 'approvals'), 4],
  ['reviewer', async () => `approvals/${await request()}`, 5],
  ['auditor', 'log', 5],
]

for (const [role, path, steps] of tours)
  test(`the tour of ${typeof path === 'string' ? path : path.toString().match(/[a-z]+\/|'approvals'/)[0]} as ${role}`, async () => {
    const narrow = steps === 4
    const page = await pageOf(browser, dev, role, { base, ...(narrow && { width: 360, height: 740 }) })
    await page.goto(`${base}/console/${typeof path === 'string' ? path : await path()}`)
    const help = page.getByRole('button', { name: '这个页面怎么用' })
    await help.click()
    await page.getByRole('menuitem', { name: '在页面上看一遍' }).click()
    const tour = page.getByRole('dialog')
    for (let n = 1; n <= steps; n++) {
      await tour.getByRole('img', { name: `第 ${n} 步，共 ${steps} 步` }).waitFor()
      const view = page.viewportSize()
      await until(`step ${n} is whole on the screen`, async () => {
        const box = await tour.boundingBox()
        return box && box.x >= 0 && box.y >= 0 && box.x + box.width <= view.width && box.y + box.height <= view.height
      })
      await until(`step ${n} has the focus`, () => tour.evaluate((panel) => panel.contains(document.activeElement)))
      if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/${steps}-${role}-${n}.png` })
      await page.keyboard.press('ArrowRight')
    }
    await page.keyboard.press('ArrowLeft')
    await tour.getByRole('img', { name: `第 ${steps - 1} 步` }).waitFor()
    await page.keyboard.press('Escape')
    await tour.waitFor({ state: 'detached' })
    await until('one is where one began', () => help.evaluate((button) => button === document.activeElement))
    await page.context().close()
  })

test('a screen’s help leads to what the help page says of it, and to its tour', async () => {
  const page = await pageOf(browser, dev, 'hr_admin', { base, language: 'en' })
  await page.goto(`${base}/console/retention`)
  await page.getByRole('button', { name: 'How this screen works' }).click()
  await page.getByText('which deletions a reviewer has to decide about').waitFor()
  await page.getByRole('button', { name: 'Answer a plea for data' }).click()
  await page.getByRole('link', { name: 'Show me on the screen' }).click()
  await page.getByRole('dialog').getByText('Who asks').waitFor()
  await page.context().close()
})
