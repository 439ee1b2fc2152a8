import { UserSwitchOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Card, Empty, Flex, Form, Input, Skeleton, Space, Tabs, Typography } from 'antd'
import { useEffect, useState } from 'react'
import { Link, useSearchParams } from 'react-router'

import { api, ok } from '../../api/client'
import { Heading } from '../../shell/Heading'
import { longest } from '../../shell/longest'
import { PersonPicker, useFoundPeople } from '../../shell/person'
import { ProblemAlert } from '../../shell/problems'
import { Ask, Asker, type Asked } from '../people/Ask'
import { Status } from '../people/status'
import { PassOn } from './PassOn'
import './plea.css'
import { usePleaTexts } from './texts'

type Plea = Pick<Asked, 'asker' | 'requested_by'> & { said?: string; wants?: string; why?: string }

export default function PleaPage() {
  const t = usePleaTexts()
  const client = useQueryClient()
  const [params, setParams] = useSearchParams()
  const about = params.get('about') ?? undefined
  const [form] = Form.useForm<Plea>()
  const plea = Form.useWatch([], { form, preserve: true }) as Plea | undefined
  const [face, setFace] = useState(false)
  const [round, setRound] = useState(0)
  const [tab, setTab] = useState('ask')
  const person = useQuery({
    queryKey: ['file', about],
    enabled: !!about,
    queryFn: () => ok(api.GET('/api/v1/employees/{id}', { params: { path: { id: about! } } })),
  })
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.key !== 'F2') return
      event.preventDefault()
      setFace((f) => !f)
    }
    window.addEventListener('keydown', listen)
    return () => window.removeEventListener('keydown', listen)
  }, [])
  const choose = (id: string | undefined) => setParams(id ? { about: id } : {}, { replace: true })
  const next = () => {
    form.resetFields()
    choose(undefined)
    setRound(round + 1)
    setTab('ask')
    void client.invalidateQueries({ queryKey: ['looks'] })
  }
  const asker = { asker: plea?.asker ?? 'colleague', requested_by: plea?.requested_by } as const
  const said = [plea?.wants?.trim(), plea?.why?.trim()].filter(Boolean).join('；')
  const fields = person.data?.fields.filter((f) => f.access === 'masked' && f.requires_disclosure && !f.purged && plea?.wants && (plea.wants.includes(f.label) || f.label.includes(plea.wants.trim()))).map((f) => f.key) ?? []

  return (
    <div className={face ? 'face' : undefined}>
      <Flex justify="space-between" align="center" wrap gap={8} style={{ marginBottom: 4 }}>
        {face ? <h1 style={{ margin: 0 }}>{t('faceTitle')}</h1> : <Heading style={{ margin: 0 }}>{t('title')}</Heading>}
        {face ? (
          <Button onClick={() => setFace(false)}>{t('faceBack')}</Button>
        ) : (
          <Button data-tour="face" icon={<UserSwitchOutlined />} onClick={() => setFace(true)}>
            {t('face')} <kbd>{t('faceKey')}</kbd>
          </Button>
        )}
      </Flex>
      <Typography.Paragraph type="secondary">{face ? t('faceText') : t('hint')}</Typography.Paragraph>
      <div className="plea">
        <Card className="side-form">
          <Form form={form} layout="vertical" requiredMark={false} initialValues={{ asker: 'colleague' }} key={round}>
            <div data-tour="asker">{face ? <FaceAsker /> : <Asker autoFocus={!about} />}</div>
            {face ? (
              <Form.Item name="said" label={t('about')}>
                <Input maxLength={100} autoComplete="off" />
              </Form.Item>
            ) : (
              <Form.Item data-tour="about" label={t('about')} htmlFor="about">
                <PersonPicker id="about" allowClear={false} placeholder={t('findPerson')} value={about} onChange={choose} />
              </Form.Item>
            )}
            <Form.Item name="wants" data-tour="wants" label={t('wants')}>
              <Input maxLength={200} placeholder={t('wantsExample')} autoComplete="off" />
            </Form.Item>
            <Form.Item name="why" label={t('why')} style={{ marginBottom: 0 }}>
              <Input.TextArea autoSize={{ minRows: 2, maxRows: 6 }} count={longest(1000)} placeholder={t('whyExample')} />
            </Form.Item>
          </Form>
          {!face && !about && plea?.said && <Said text={plea.said} choose={choose} />}
        </Card>
        {/* Hidden, and not taken away: what is typed there stays. */}
        <div className="judged" data-tour="verdict" hidden={face}>
          {!about ? (
            <Card>
              <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t('pick')} />
              <Typography.Paragraph type="secondary" style={{ textAlign: 'center' }}>
                {t('faceHint')}
              </Typography.Paragraph>
            </Card>
          ) : person.isPending ? (
            <Skeleton active />
          ) : person.isError ? (
            <ProblemAlert error={person.error} retry={() => void person.refetch()} />
          ) : (
            <Card>
              <Flex justify="space-between" wrap gap={8}>
                <Space wrap>
                  <h2 className="sub">{person.data.name}</h2>
                  <Typography.Text type="secondary">{[person.data.employee_no, person.data.department].join(' · ')}</Typography.Text>
                  <Status of={person.data} />
                </Space>
                <Link to={`/people/${about}`}>{t('openFile')}</Link>
              </Flex>
              <Tabs
                activeKey={tab}
                onChange={setTab}
                items={[
                  {
                    key: 'ask',
                    label: t('ask'),
                    children: <Ask key={`${about} ${round}`} person={person.data} fields={fields} asker={asker} said={said} close={next} passMessage={() => setTab('pass')} />,
                  },
                  { key: 'pass', label: t('pass'), children: <PassOn person={about} asker={asker.asker === 'colleague' ? asker.requested_by?.employee_id : undefined} /> },
                ]}
              />
            </Card>
          )}
        </div>
      </div>
    </div>
  )
}

/** Beside the asker nothing is looked up: who they are is written down as they say it. */
function FaceAsker() {
  const t = usePleaTexts()
  const form = Form.useFormInstance<Plea>()
  useEffect(() => {
    if (form.getFieldValue('asker') === 'colleague' && !form.getFieldValue(['requested_by', 'employee_id'])) form.setFieldValue('asker', 'outsider')
  }, [form])
  return (
    <>
      <Form.Item name="asker" hidden>
        <Input />
      </Form.Item>
      <Form.Item name={['requested_by', 'description']} label={t('who')}>
        <Input maxLength={200} autoFocus autoComplete="off" />
      </Form.Item>
    </>
  )
}

function Said({ text, choose }: { text: string; choose: (id: string) => void }) {
  const t = usePleaTexts()
  const found = useFoundPeople(text)
  const people = found.data?.items ?? []
  if (!found.data && found.isFetching) return null
  return (
    <div style={{ marginTop: 12 }} role="status">
      <Typography.Paragraph>{people.length > 0 ? t('aboutSaid', { text }) : t('aboutNobody', { text })}</Typography.Paragraph>
      <Space orientation="vertical">
        {people.slice(0, 6).map((p) => (
          <Button key={p.id} onClick={() => choose(p.id)}>
            {p.name} · {p.employee_no} · {p.department}
          </Button>
        ))}
      </Space>
    </div>
  )
}
