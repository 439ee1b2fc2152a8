import { useQuery } from '@tanstack/react-query'
import { Collapse, Descriptions, Drawer, Space, Typography } from 'antd'

import { api, ok } from '../../api/client'
import { day, instant, When } from '../../shell/times'
import { Badge, nameOf, type Entry } from './Log'
import { useLogTexts } from './texts'

const isNumber = (text: string) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$|^[0-9a-f]{64}$/.test(text)
const said = (text: string) => (/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text) ? instant(text) : /^\d{4}-\d\d-\d\d$/.test(text) ? day(text) : text)

/** One entry, in words; what only machines compare stands apart. */
export function Details({ of: e, close }: { of?: Entry; close: () => void }) {
  const t = useLogTexts()
  const details = (e?.details_text ?? []).filter((d) => d.value !== '')
  const hint = e && ({ intact: 'intactHint', tampered: 'tamperedHint', dropped: 'droppedHint' } as const)[e.state]
  return (
    <Drawer open={!!e} onClose={close} title={e ? (e.action_text ?? e.kind_text) : ''} size={560} destroyOnHidden>
      {e && (
        <>
          <Space wrap style={{ marginBottom: 12 }}><Badge of={e} /><Typography.Text type="secondary">{t(hint!)}</Typography.Text></Space>
          <Descriptions
            column={1}
            size="small"
            bordered
            items={[
              { key: 'when', label: t('when'), children: <When at={e.at} /> },
              ...(e.actor ? [{ key: 'who', label: t('who'), children: <span>{nameOf(e.actor)}{e.actor_role_text && ` · ${e.actor_role_text}`}{e.actor.purged && <><br />{t('purgedPerson')}</>}</span> }] : []),
              ...(e.authenticated_text ? [{ key: 'by', label: t('authenticated'), children: e.authenticated_text }] : []),
              ...(e.subject ? [{ key: 'whom', label: t('whom'), children: <span>{nameOf(e.subject)}{e.subject.purged && <><br />{t('purgedPerson')}</>}</span> }] : []),
              ...(e.requested_by ? [{ key: 'asked', label: t('askedBy'), children: <Asker of={e.requested_by} /> }] : []),
              ...(e.purpose_text ? [{ key: 'purpose', label: t('purpose'), children: e.purpose_text }] : []),
              ...(e.rule_text ? [{ key: 'rule', label: t('rule'), children: e.rule_text }] : []),
              ...(e.reason ? [{ key: 'reason', label: t('reason'), children: <span style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{e.reason}</span> }] : []),
              ...(e.result_text ? [{ key: 'result', label: t('result'), children: e.result_text }] : []),
              ...details.filter((d) => !isNumber(d.value)).map((d) => ({ key: `d ${d.key}`, label: d.label, children: <span style={{ overflowWrap: 'anywhere' }}>{said(d.value)}</span> })),
            ]}
          />
          <Collapse
            size="small"
            style={{ marginTop: 16 }}
            items={[{
              key: 'technical',
              label: t('technical'),
              children: (
                <dl className="technical">
                  <dt>{t('numberLabel')}</dt><dd>{e.index === null ? t('waitsNumber') : `${e.index}${e.epoch ? ` / ${e.epoch}` : ''}`}</dd>
                  <dt>{t('entry')}</dt><dd>{e.id}</dd>
                  {e.object && <><dt>{t('object')}</dt><dd>{e.object}</dd></>}
                  {e.request_id && <><dt>{t('requestId')}</dt><dd>{e.request_id}</dd></>}
                  {details.filter((d) => isNumber(d.value)).map((d) => <div key={d.key}><dt>{d.label}</dt><dd>{d.value}</dd></div>)}
                </dl>
              ),
            }]}
          />
        </>
      )}
    </Drawer>
  )
}

/** Who asked for it: somebody of the company by name, others as the entry says. */
function Asker({ of }: { of: string }) {
  const t = useLogTexts()
  const known = useQuery({ queryKey: ['person', of], enabled: isNumber(of), retry: false, queryFn: () => ok(api.GET('/api/v1/employees/{id}', { params: { path: { id: of } } })) })
  if (isNumber(of)) return <>{known.data ? `${known.data.name} ${known.data.employee_no}` : t('employee')}</>
  return <>{of === 'outsider' ? t('outsider') : of === 'employee' ? t('employee') : of}</>
}
