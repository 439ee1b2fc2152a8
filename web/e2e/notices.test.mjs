// What HR hears at once, and what is told to and about emergency contacts.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { ask, confirming, devOf, launch, leave, pageOf, somebody } from './session.mjs'

const dev = devOf()
const base = process.env.BASE ?? dev.api
let browser
before(async () => (browser = await launch()))
after(() => leave(browser))

test('an emergency call is told at once on whatever screen HR is, over a dialog too, and goes when somebody takes it', async () => {
  const page = await pageOf(browser, dev, 'hr_admin', { base })
  const following = page.waitForRequest((r) => r.url().endsWith('/emergency-calls/events'))
  await page.goto(`${base}/console/people`)
  await following
  await page.getByRole('heading', { name: '员工档案' }).waitFor()
  const open = new Set((await ask(dev, 'emergency-calls?state=open')).items.map((c) => c.id))
  await page.keyboard.press('Control+k')
  await page.getByRole('dialog').waitFor()
  const call = await ask(dev, 'emergency-calls', 'employee', 'POST', { who: '三号门外的人', what: '没有意识' })
  assert.ok(call.id, JSON.stringify(call))
  const notice = page.locator('.ant-notification-notice', { hasText: '紧急求助等人处理' })
  await notice.waitFor()
  assert.equal(await notice.getAttribute('role'), 'alert', 'it is read out')
  assert.ok(!(await page.content()).includes('没有意识'), 'what was said is not told')
  await notice.getByRole('button', { name: '去处理' }).click()
  await page.getByRole('heading', { name: '紧急求助', level: 1 }).waitFor()
  await notice.waitFor({ state: 'detached' })

  await page.goto(`${base}/console/settings`)
  const banner = page.locator('.calls')
  await banner.waitFor()
  for (const id of [call.id, ...open]) await ask(dev, `emergency-calls/${id}/taking`, 'hr_admin', 'POST')
  await banner.waitFor({ state: 'detached' })
  await page.context().close()
})

test('HR enters that a contact was told, and removes one who asks for it', async () => {
  const person = await somebody(dev, 'CN-006')
  await ask(dev, `employees/${person.id}`, 'hr_admin', 'PATCH', {
    fields: { emergency_contact_name: '联系甲', emergency_contact_phone: '13900004444', emergency_contact_2_name: '联系乙', emergency_contact_2_phone: '13900005555' },
  })
  const page = await pageOf(browser, dev, 'hr_admin', { base })
  await page.goto(`${base}/console/people/${person.id}#emergency_contact`)
  await page.getByRole('button', { name: '登记告知：紧急联系人 2' }).click()
  let dialog = page.getByRole('dialog')
  await dialog.getByLabel('告知方式').click()
  await page.getByTitle('由单位电话告知').click()
  await dialog.getByRole('button', { name: /登\s?记/ }).click()
  await confirming(page, dev, 'hr_admin', page.getByRole('listitem').filter({ hasText: '紧急联系人 2' }).getByText('已登记告知'))

  await page.getByRole('button', { name: '应其要求移除：紧急联系人 2' }).click()
  dialog = page.getByRole('dialog', { name: '应其要求移除：紧急联系人 2' })
  await dialog.getByText('立即删除').waitFor()
  await dialog.getByLabel('联系人怎样提出').click()
  await page.getByTitle('书面提出').click()
  await dialog.getByLabel('收到日期').fill(new Date(Date.now() - 86_400_000).toISOString().slice(0, 10))
  await dialog.getByLabel('收到日期').press('Enter')
  await dialog.getByLabel('申请或记录存放在哪里').fill('人事档案柜 3-12')
  await dialog.getByRole('button', { name: '移除联系人' }).click()
  await confirming(page, dev, 'hr_admin', page.getByText('存放于：人事档案柜 3-12'))
  const { contacts, removed } = await ask(dev, `employees/${person.id}/emergency-contacts`)
  assert.deepEqual([contacts.map((c) => c.contact), removed.map((r) => r.contact)], [[1], [2]])
  assert.equal((await page.content()).includes('联系乙'), false)
  await page.context().close()
})

test('which public holidays are known is told', async () => {
  const page = await pageOf(browser, dev, 'hr_admin', { base })
  await page.goto(`${base}/console/settings`)
  await page.getByRole('link', { name: '节假日' }).click()
  await page.getByRole('heading', { name: '节假日', level: 1 }).waitFor()
  await page.getByText('国庆节').first().waitFor()
  await page.context().close()
})
