import { useQuery } from '@tanstack/react-query'
import { Alert, Button, Card, Collapse, Drawer, Empty, Flex, Select, Skeleton, Typography } from 'antd'
import { useState } from 'react'

import { api, ok, type Schemas } from '../../api/client'
import { Heading } from '../../shell/Heading'
import { language } from '../../shell/language'
import { Person } from '../../shell/person'
import { ProblemAlert } from '../../shell/problems'
import { State } from '../../shell/state'
import { instant, When } from '../../shell/times'
import { useWide } from '../../shell/wide'
import { useLook, What } from '../home/Review'
import { useTexts } from './texts'

/** What is noticeable about how people looked: hints for a reviewer, and no findings. */
export default function Page() {
  const t = useTexts()
  const [days, setDays] = useState(30)
  const [look, setLook] = useState<string>()
  // Reading is recorded: once for each time that is chosen, and never by itself.
  const patterns = useQuery({
    queryKey: ['patterns', days],
    queryFn: () => ok(api.GET('/api/v1/disclosure-patterns', { params: { query: { days } } })),
    gcTime: 0, staleTime: Infinity, refetchOnWindowFocus: false, refetchOnReconnect: false, retry: false,
  })
  const p = patterns.data
  return (
    <>
      <Heading>{t('title')}</Heading>
      <Flex vertical gap={16}>
        <div>
          <div>{t('intro')}</div>
          <Typography.Text type="secondary">{t('recorded')}</Typography.Text>
        </div>
        <Flex gap={12} wrap align="center">
          <Select aria-label={t('days')} value={days} onChange={setDays} style={{ width: 160 }} options={[7, 30, 90].map((n) => ({ value: n, label: t('lastDays', { n }) }))} />
          {p && <Typography.Text type="secondary">{p.more ? t('more', { n: p.looks }) : p.looks === 0 ? t('readNone') : t('read', { n: p.looks })}</Typography.Text>}
        </Flex>
        {patterns.isPending && <Skeleton active />}
        <ProblemAlert error={patterns.error} retry={() => void patterns.refetch()} />
        {p && p.items.length === 0 && <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t('none')} />}
        {p && p.items.length > 0 && <Alert type="info" showIcon title={p.note} />}
        {p?.items.map((item, i) => <Found key={i} of={item} open={setLook} />)}
        {p && p.hidden.length > 0 && (
          <Typography.Text type="secondary">{t('hidden', { names: p.hidden.map((e) => e.name).join(language() === 'zh' ? '、' : ', ') })}</Typography.Text>
        )}
      </Flex>
      {look && <Look of={look} close={() => setLook(undefined)} />}
    </>
  )
}

function Found({ of: p, open }: { of: Schemas['PatternView']; open: (look: string) => void }) {
  const t = useTexts()
  return (
    <Card size="small">
      <Flex vertical gap={8}>
        <Flex gap={8} wrap align="center">
          <State tone="wait">{p.kind_text}</State>
          <Person of={p.looker} />
        </Flex>
        <div>{p.text}</div>
        <Typography.Text type="secondary">{instant(p.first_at) === instant(p.last_at) ? instant(p.first_at) : t('period', { from: instant(p.first_at), to: instant(p.last_at) })}</Typography.Text>
        <Collapse
          size="small"
          ghost
          items={[
            {
              key: 'looks',
              label: t('see'),
              children: (
                <>
                  {p.latest.length < p.looks && <Typography.Paragraph type="secondary">{t('latest', { n: p.latest.length })}</Typography.Paragraph>}
                  <ul style={{ listStyle: 'none', margin: 0, padding: 0 }}>
                    {p.latest.map((l) => (
                      <li key={l.id} style={{ borderBlockEnd: '1px solid #f0f0f0', paddingBlock: 8 }}>
                        <Flex gap={12} wrap align="center" justify="space-between">
                          <Flex vertical style={{ flex: '1 1 200px', minWidth: 0 }}>
                            <Person of={l.person} />
                            <Typography.Text type="secondary">
                              {l.purpose_text} · <When at={l.asked_at} />
                            </Typography.Text>
                          </Flex>
                          <Button type="link" aria-label={`${t('open')}: ${l.person ? `${l.person.name} ${l.person.employee_no}` : ''}`} onClick={() => open(l.id)}>
                            {t('open')}
                          </Button>
                        </Flex>
                      </li>
                    ))}
                  </ul>
                </>
              ),
            },
          ]}
        />
      </Flex>
    </Card>
  )
}

function Look({ of, close }: { of: string; close: () => void }) {
  const t = useTexts()
  const wide = useWide()
  const read = useLook(of)
  return (
    <Drawer open onClose={close} size={wide ? 560 : '100%'} title={t('look')} footer={<Button onClick={close}>{t('back')}</Button>}>
      {read.isPending && <Skeleton active />}
      <ProblemAlert error={read.error} retry={() => void read.refetch()} />
      {read.data && (
        <>
          <Typography.Paragraph type="secondary">{t('lookHint')}</Typography.Paragraph>
          <What of={read.data} />
        </>
      )}
    </Drawer>
  )
}
