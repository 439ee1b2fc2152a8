import { Heading } from '../../shell/Heading'
import { useMe } from '../../shell/me'
import { Parts } from '../../shell/Parts'
import { Consents } from './Consents'
import { MyRequests } from '../requests/Mine'
import { useTexts as useRequestTexts } from '../requests/texts'
import { Kept } from './Kept'
import { Looks } from './Looks'
import { Mine, useOwnFields } from './Mine'
import { Reminders } from './Reminders'
import { Security } from './Security'
import { useTexts } from './texts'

/** The person's side: what is kept of oneself, who looked, what one agreed to. */
export default function Me() {
  const t = useTexts()
  const requests = useRequestTexts()
  const me = useMe().data
  const fields = useOwnFields(me?.employee_id)
  if (!me) return null
  return (
    <>
      <Heading>{t('title')}</Heading>
      <Parts
        label={t('title')}
        items={[
          { key: 'data', label: t('data'), children: <Mine id={me.employee_id} /> },
          { key: 'looks', label: t('looks'), children: <Looks id={me.employee_id} /> },
          { key: 'kept', label: t('kept'), children: <Kept /> },
          { key: 'requests', label: requests('mine'), children: <MyRequests fields={fields} /> },
          { key: 'consents', label: t('consents'), children: <Consents /> },
          ...(me.role === 'employee' || me.role === 'department_head' ? [] : [{ key: 'reminders', label: t('reminders'), children: <Reminders /> }]),
          { key: 'security', label: t('security'), children: <Security /> },
        ]}
      />
    </>
  )
}
