import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Card, Flex, Skeleton, Space, Typography } from 'antd'

import { api, ok, type Schemas } from '../../api/client'
import { Person, PersonPicker } from '../../shell/person'
import { ProblemAlert } from '../../shell/problems'
import { State } from '../../shell/state'
import { useDepartureTexts } from './texts'

type Kind = Schemas['HoldingKind']
type Successors = { all?: string; kinds: Map<Kind['kind'], string> }

/** What whoever leaves looks after here, and who takes it over: for HR, until the access ends. */
export function Succession({ person }: { person: string }) {
  const t = useDepartureTexts()
  const client = useQueryClient()
  const key = ['holdings', person]
  const held = useQuery({ queryKey: key, queryFn: () => ok(api.GET('/api/v1/employees/{id}/holdings', { params: { path: { id: person } } })) })
  const name = useMutation({
    mutationFn: (s: Successors) =>
      ok(
        api.PUT('/api/v1/employees/{id}/successors', {
          params: { path: { id: person } },
          body: {
            base_version: held.data?.version ?? 0,
            successor_id: s.all,
            by_kind: [...s.kinds].map(([kind, successor_id]) => ({ kind, successor_id })),
          },
        }),
      ),
    onSuccess: (now) => client.setQueryData(key, now),
    onError: () => void held.refetch(), // somebody else may have named others
  })
  const h = held.data
  const named: Successors = {
    all: h?.successor?.employee_id,
    kinds: new Map(h?.kinds.flatMap((k) => (k.successor ? [[k.kind, k.successor.employee_id] as const] : []))),
  }
  const forKind = (kind: Kind['kind'], who?: string) => {
    const kinds = new Map(named.kinds)
    if (who) kinds.set(kind, who)
    else kinds.delete(kind)
    name.mutate({ all: named.all, kinds })
  }
  return (
    <Card size="small" title={<h2 style={{ font: 'inherit', margin: 0 }}>{t('succession')}</h2>}>
      {held.error && !h ? (
        <ProblemAlert error={held.error} retry={() => void held.refetch()} />
      ) : !h ? (
        <Skeleton active />
      ) : h.kinds.length === 0 ? (
        <Typography.Text type="secondary">{t('successionNone')}</Typography.Text>
      ) : (
        <Flex vertical gap={12}>
          {h.missing > 0 && <Alert type="warning" showIcon title={t('successionMissing', { n: h.missing })} description={t('successionMissingHint')} />}
          {name.error && <ProblemAlert error={name.error} />}
          <label>
            <Typography.Text style={{ display: 'block', marginBottom: 4 }}>{t('successorAll')}</Typography.Text>
            <PersonPicker style={{ width: '100%', maxWidth: 420 }} value={named.all} disabled={name.isPending} onChange={(id) => name.mutate({ all: id, kinds: named.kinds })} />
          </label>
          {h.kinds.map((k) => (
            <OneKind key={k.kind} of={k} busy={name.isPending} choose={(who) => forKind(k.kind, who)} />
          ))}
        </Flex>
      )}
    </Card>
  )
}

const shownAtOnce = 5

function OneKind({ of: k, busy, choose }: { of: Kind; busy: boolean; choose: (who?: string) => void }) {
  const t = useDepartureTexts()
  const takers = new Map(k.things.flatMap((x) => (x.successor ? [[x.successor.employee_id, x.successor] as const] : [])))
  const texts = k.things.map((x) => x.text).filter(Boolean)
  return (
    <section aria-label={k.kind_text}>
      <Flex gap={8} wrap align="center">
        <Typography.Text strong>{k.kind_text}</Typography.Text>
        <Typography.Text type="secondary">{t('successionCount', { n: k.things.length })}</Typography.Text>
        {k.missing > 0 && <State tone="bad">{t('successorMissing')}</State>}
      </Flex>
      {texts.length > 0 && (
        <Typography.Text type="secondary" style={{ display: 'block' }}>
          {texts.slice(0, shownAtOnce).join(t('successionAnd'))}
          {texts.length > shownAtOnce && '…'}
        </Typography.Text>
      )}
      {k.effect !== 'passes' ? (
        <Typography.Text>{k.effect_text}</Typography.Text>
      ) : (
        <Flex vertical gap={6} align="start">
          {[...takers.values()].map((p) => (
            <Space key={p.employee_id} wrap>
              {t('successorIs')}
              <Person of={p} />
              {k.successor && (
                <Button size="small" disabled={busy} onClick={() => choose()} aria-label={`${t('successorRemove')} ${k.kind_text}`}>
                  {t('successorRemove')}
                </Button>
              )}
            </Space>
          ))}
          {k.missing > 0 && (
            <>
              <Typography.Text>{t('successorFalls', { role: k.falls_to_text })}</Typography.Text>
              {k.proposals.map((p) => (
                <Button key={p.person.employee_id} size="small" style={{ height: 'auto', whiteSpace: 'normal', textAlign: 'start' }} disabled={busy} onClick={() => choose(p.person.employee_id)}>
                  {t('successorPropose', { who: `${p.person.name} ${p.person.employee_no}`, why: p.reason_text })}
                </Button>
              ))}
            </>
          )}
        </Flex>
      )}
    </section>
  )
}
