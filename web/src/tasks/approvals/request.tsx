import { LockOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Tag, Typography } from 'antd'

import { api, ok, type Schemas } from '../../api/client'
import { useApprovalTexts } from './texts'

type Approval = Schemas['ApprovalView']

const colors: Record<Approval['state'], string> = { pending: 'gold', approved: 'green', rejected: 'red', withdrawn: 'default', expired: 'default', void: 'default' }

export const ApprovalState = ({ of }: { of: Approval }) => <Tag color={colors[of.state]}>{of.state_text}</Tag>

/** Whom a request is about; the API says it as the first of the changes. */
export const aboutOf = (request: Approval) => request.changes.find((c) => c.field === 'person')?.after

/** The screen that shows what a request led to. */
export function screenOf(location: string | undefined): string | undefined {
  const [kind, id] = (location ?? '').replace(/^\/api\/v1\//, '').split('/')
  switch (kind) {
    case 'departures': return `/departures/${id}`
    case 'employees': return `/people/${id}`
    case 'support-cases': return `/cases/${id}`
    case 'access-cuts': return `/cuts/${id}`
    case 'holds': return '/retention?tab=holds'
    case 'purges': return '/retention?tab=purges&state=all'
    case 'users': return '/users'
    case 'permissions': return '/permissions'
    case 'query-log': return `/log?export=${location!.split('/').pop()}`
    default: return undefined
  }
}

function Value({ text, old }: { text?: string; old?: boolean }) {
  const t = useApprovalTexts()
  if (!text) return <Typography.Text type="secondary">{t('none')}</Typography.Text>
  return <span style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere', ...(old && { textDecoration: 'line-through', color: 'rgba(0,0,0,.62)' }) }}>{text}</span>
}

const isId = (text: string | undefined) => !!text && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)

/** The names of legal entities and departments, which requests tell by their ids. */
function useNames(of: Approval['changes']) {
  const enabled = of.some((c) => isId(c.before) || isId(c.after))
  const entities = useQuery({ queryKey: ['legal-entities'], enabled, retry: false, queryFn: () => ok(api.GET('/api/v1/legal-entities', { params: { query: { limit: 200 } } })) })
  const departments = useQuery({ queryKey: ['departments'], enabled, retry: false, queryFn: () => ok(api.GET('/api/v1/departments', { params: { query: { limit: 200 } } })) })
  const names = new Map([...(entities.data?.items ?? []), ...(departments.data?.items ?? [])].map((x) => [x.id, x.name]))
  return (text: string | undefined) => (isId(text) ? (names.get(text!) ?? '…') : text)
}

/** What would change: each thing, before and after. */
export function Changes({ of }: { of: Approval['changes'] }) {
  const t = useApprovalTexts()
  const named = useNames(of)
  return (
    <dl className="changes">
      {of.map((c, i) => (
        <div key={i}>
          <dt>
            {c.label}
            {c.sealed && (
              <Tag icon={<LockOutlined />} color="red" style={{ marginInlineStart: 8 }}>
                {t('sealed')}
              </Tag>
            )}
          </dt>
          <dd>
            {c.before !== undefined && (
              <>
                <Value text={named(c.before)} old /> <span aria-hidden> → </span>
              </>
            )}
            {c.sealed && c.after === undefined ? <Typography.Text type="secondary">{t('sealedClosed')}</Typography.Text> : <Value text={named(c.after)} />}
            {c.sealed && c.after !== undefined && <Typography.Paragraph type="secondary" style={{ margin: 0 }}>{t('sealedHint')}</Typography.Paragraph>}
            {c.basis && <Typography.Paragraph type="secondary" style={{ margin: 0 }}>{t('basis', { basis: c.basis })}</Typography.Paragraph>}
          </dd>
        </div>
      ))}
    </dl>
  )
}
