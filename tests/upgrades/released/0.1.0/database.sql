--
-- PostgreSQL database dump
--


-- Dumped from database version 15.20 (Debian 15.20-0+deb12u1)
-- Dumped by pg_dump version 15.20 (Debian 15.20-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: btree_gist; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public;


--
-- Name: EXTENSION btree_gist; Type: COMMENT; Schema: -; Owner: 
--

COMMENT ON EXTENSION btree_gist IS 'support for indexing common datatypes in GiST';


--
-- Name: booking; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS booking WITH SCHEMA pg_catalog;


--
-- Name: EXTENSION booking; Type: COMMENT; Schema: -; Owner: 
--

COMMENT ON EXTENSION booking IS 'holds, confirmations and expiry: double booking made impossible';


--
-- Data for Name: capacity_changes; Type: TABLE DATA; Schema: booking; Owner: postgres
--

COPY booking.capacity_changes (resource, during, capacity) FROM stdin;
hotel	["2032-06-30 22:00:00+00","2032-07-07 22:00:00+00")	2
\.


--
-- Data for Name: holds; Type: TABLE DATA; Schema: booking; Owner: postgres
--

COPY booking.holds (id, resource, basket, item, quantity, seats, during, occupied, exclusive, state, version, placed_at, expires_at, confirmed_at, ended_at, key, fingerprint, holder, reference, metadata) FROM stdin;
01a22f74-1de8-7139-9d90-de07c21673d1	gig	\N	1	1	\N	\N	\N	\N	released	2	2026-12-01 02:34:28.712145+00	2026-12-01 03:34:28.712145+00	\N	2026-12-01 02:34:28.712523+00	k2	60b45c1c-519d-5c17-8a46-99e298898ae6	h2	\N	{"n": 2}
01a22f74-1de8-7139-9d90-de08f9858c13	gig	\N	1	1	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.712885+00	2026-12-01 03:34:28.712885+00	\N	\N	k3	c8550967-d12a-5f9f-8ad8-b89b35283dcc	h3	\N	{"n": 3}
01a22f74-1de9-7018-bf63-6c84077c45af	gig	\N	1	1	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.71307+00	2026-12-01 03:34:28.71307+00	\N	\N	k4	635acbd6-e801-542f-8b90-540cb9ce6d8b	h4	\N	{"n": 4}
01a22f74-1de9-7018-bf63-6c86ff477810	gig	\N	1	1	\N	\N	\N	\N	released	2	2026-12-01 02:34:28.713366+00	2026-12-01 03:34:28.713366+00	\N	2026-12-01 02:34:28.713483+00	k6	cb882af1-dbec-5f8e-984f-acc79945c9c8	h1	\N	{"n": 6}
01a22f74-1de9-7018-bf63-6c877f58150d	gig	\N	1	1	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.713574+00	2026-12-01 03:34:28.713574+00	\N	\N	k7	1113bc9b-f9b2-5367-b3c8-de6876b6bb49	h2	\N	{"n": 7}
01a22f74-1de9-7018-bf63-6c8892a4407f	gig	\N	1	1	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.713671+00	2026-12-01 03:34:28.713671+00	\N	\N	k8	2a9ce508-4443-5e22-908c-6b3504856a8b	h3	\N	{"n": 8}
01a22f74-1de9-7018-bf63-6c89d587d239	gig	\N	1	1	\N	\N	\N	\N	confirmed	2	2026-12-01 02:34:28.713754+00	2026-12-01 03:34:28.713754+00	2026-12-01 02:34:28.713811+00	\N	k9	b2897d8b-a376-5acf-a147-3a8e40f415af	h4	p9	{"n": 9}
01a22f74-1de9-7018-bf63-6c8aec55f0ee	gig	\N	1	1	\N	\N	\N	\N	released	2	2026-12-01 02:34:28.713876+00	2026-12-01 03:34:28.713876+00	\N	2026-12-01 02:34:28.713957+00	k10	b936cd8f-a492-566c-8563-76a98b6964e7	h0	\N	{"n": 10}
01a22f74-1dea-7678-9d43-adb38fd28c62	gig	\N	1	1	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.71403+00	2026-12-01 03:34:28.71403+00	\N	\N	k11	ff91d2d1-38db-592c-b1ae-3941b749a6bc	h1	\N	{"n": 11}
01a22f74-1dea-7678-9d43-adb429bac89d	gig	\N	1	1	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.71411+00	2026-12-01 03:34:28.71411+00	\N	\N	k12	d44f7ac9-1c0b-5057-b10a-fca04d5a477c	h2	\N	{"n": 12}
01a22f74-1dea-7678-9d43-adb52495897e	gig	\N	1	1	\N	\N	\N	\N	confirmed	2	2026-12-01 02:34:28.714185+00	2026-12-01 03:34:28.714185+00	2026-12-01 02:34:28.71424+00	\N	k13	d7b9fa6f-b45c-56e3-a60b-08e0e1f7c241	h3	p13	{"n": 13}
01a22f74-1dea-7678-9d43-adb62f7b84e9	gig	\N	1	1	\N	\N	\N	\N	released	2	2026-12-01 02:34:28.714297+00	2026-12-01 03:34:28.714297+00	\N	2026-12-01 02:34:28.714371+00	k14	8453a1d5-37fa-5ccc-97b4-6a739c05fac7	h4	\N	{"n": 14}
01a22f74-1dea-7678-9d43-adb799f3cfea	gig	\N	1	1	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.714443+00	2026-12-01 03:34:28.714443+00	\N	\N	k15	7b4ffcd0-9a6a-532a-8360-502957175c1a	h0	\N	{"n": 15}
01a22f74-1dea-7678-9d43-adb8ca1c3e1b	gig	\N	1	1	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.71454+00	2026-12-01 03:34:28.71454+00	\N	\N	k16	93ae607b-78fa-52ae-8cfd-7fbc16cffd54	h1	\N	{"n": 16}
01a22f74-1dea-7678-9d43-adb92ebed20b	gig	\N	1	1	\N	\N	\N	\N	confirmed	2	2026-12-01 02:34:28.714617+00	2026-12-01 03:34:28.714617+00	2026-12-01 02:34:28.714671+00	\N	k17	39cadda7-b982-5612-8c76-20e483bede62	h2	p17	{"n": 17}
01a22f74-1dea-7678-9d43-adba788a0fdf	gig	\N	1	1	\N	\N	\N	\N	released	2	2026-12-01 02:34:28.714728+00	2026-12-01 03:34:28.714728+00	\N	2026-12-01 02:34:28.714802+00	k18	76db2e71-3adb-538a-8b82-2f6e8aa88aa7	h3	\N	{"n": 18}
01a22f74-1dea-7678-9d43-adbbb4ee8520	gig	\N	1	1	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.714868+00	2026-12-01 03:34:28.714868+00	\N	\N	k19	eb72ef83-1c52-50c9-a36e-405c92eac72c	h4	\N	{"n": 19}
01a22f74-1dea-7678-9d43-adbc1130af5e	gig	\N	1	1	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.714945+00	2026-12-01 03:34:28.714945+00	\N	\N	k20	7fbf5298-b082-5d49-8eb2-29ee72c84d58	h0	\N	{"n": 20}
01a22f74-1de6-76d1-8e57-cb8e947e5667	gig	\N	1	1	\N	\N	\N	\N	cancelled	3	2026-12-01 02:34:28.710133+00	2026-12-01 03:34:28.710133+00	2026-12-01 02:34:28.711632+00	2026-12-01 02:34:28.723741+00	k1	7df43b70-16fd-5169-920b-37b1d0df07fe	h1	p1	{"n": 1}
01a22f74-1de9-7018-bf63-6c854ed80576	gig	\N	1	1	\N	\N	\N	\N	cancelled	3	2026-12-01 02:34:28.713204+00	2026-12-01 03:34:28.713204+00	2026-12-01 02:34:28.713271+00	2026-12-01 02:34:28.72457+00	k5	eaf54912-474f-53d7-b832-7167b5001cd3	h0	p5	{"n": 5}
01a22f74-1e06-7289-8213-aad21a5f4c99	hall	\N	1	2	{"stalls 1A","stalls 1B"}	\N	\N	\N	held	1	2026-12-01 02:34:28.740512+00	2026-12-01 03:34:28.740512+00	\N	\N	\N	\N	\N	\N	\N
01a22f74-1e12-73bc-b980-8ac2cc72f657	hall	01a22f74-1e13-7059-87ae-1c8e6f0db217	1	2	{"stalls 3A","stalls 3B"}	\N	\N	\N	held	1	2026-12-01 02:34:28.752988+00	2026-12-01 03:34:28.752988+00	\N	\N	basket	309313f4-7111-5d0f-9774-7396184153dd	b	\N	\N
01a22f74-1e13-7059-87ae-1c8d93ec8444	gig	01a22f74-1e13-7059-87ae-1c8e6f0db217	2	1	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.752988+00	2026-12-01 03:34:28.752988+00	\N	\N	basket	309313f4-7111-5d0f-9774-7396184153dd	b	\N	\N
01a22f74-1e39-77f8-86c9-c35b2b63c8cd	room	\N	1	1	\N	["2032-06-07 07:00:00+00","2032-06-07 08:00:00+00")	["2032-06-07 07:00:00+00","2032-06-07 08:15:00+00")	t	confirmed	2	2026-12-01 02:34:28.792185+00	2026-12-01 03:34:28.792185+00	2026-12-01 02:34:28.793889+00	\N	first	d76769b7-8605-593a-a415-1fe835120c65	\N	p	\N
01a22f74-1e43-72f6-bb4d-456136c6ac87	room	\N	1	1	\N	["2032-06-07 08:15:00+00","2032-06-07 09:00:00+00")	["2032-06-07 08:15:00+00","2032-06-07 09:15:00+00")	t	held	1	2026-12-01 02:34:28.801907+00	2026-12-01 03:34:28.801907+00	\N	\N	\N	\N	\N	\N	\N
01a22f74-1e4e-74ce-afdc-8bc7f0e12111	hotel	\N	1	2	\N	["2032-07-03 12:00:00+00","2032-07-05 09:00:00+00")	["2032-07-03 12:00:00+00","2032-07-05 09:00:00+00")	f	held	1	2026-12-01 02:34:28.811666+00	2026-12-01 03:34:28.811666+00	\N	\N	\N	\N	h	\N	\N
01a22f74-1e5b-72ec-b5ed-4810a0493fc5	hotel	\N	1	20	\N	["2032-06-20 12:00:00+00","2032-06-30 09:00:00+00")	["2032-06-20 12:00:00+00","2032-06-30 09:00:00+00")	f	held	1	2026-12-01 02:34:28.823629+00	2026-12-01 03:34:28.823629+00	\N	\N	\N	\N	h	\N	\N
01a22f74-1e66-74bd-9542-4de3fd6d1569	full	\N	1	1	\N	\N	\N	\N	released	2	2026-12-01 02:34:28.838894+00	2026-12-01 03:34:28.838894+00	\N	2026-12-01 02:34:28.868909+00	theirs	0e14e288-5b23-5529-b21b-0f1d727af712	\N	\N	\N
01a22f74-1e6f-7509-ad27-65f6e3f0b13b	full	\N	1	1	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.870575+00	2026-12-01 03:34:28.870575+00	\N	\N	\N	\N	\N	\N	\N
01a22f74-1eb8-75a1-8949-6a135daf5b57	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 02:34:28.92076+00	2026-12-01 03:34:28.92076+00	2026-12-01 02:34:28.920991+00	\N	r1	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p1	\N
01a22f74-1eb9-7514-994d-8a11a76ff3c3	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.921424+00	2026-12-01 03:34:28.921424+00	\N	\N	r2	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f74-1eb9-7514-994d-8a125c5bd1e7	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 02:34:28.921484+00	2026-12-01 03:34:28.921484+00	2026-12-01 02:34:28.921509+00	\N	r3	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p3	\N
01a22f74-1eb9-7514-994d-8a1338365144	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.92157+00	2026-12-01 03:34:28.92157+00	\N	\N	r4	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f74-1eb9-7514-994d-8a1436ae7df9	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 02:34:28.921601+00	2026-12-01 03:34:28.921601+00	2026-12-01 02:34:28.921621+00	\N	r5	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p5	\N
01a22f74-1eb9-7514-994d-8a156c89031a	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.921665+00	2026-12-01 03:34:28.921665+00	\N	\N	r6	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f74-1eb9-7514-994d-8a160abc712f	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 02:34:28.921693+00	2026-12-01 03:34:28.921693+00	2026-12-01 02:34:28.921713+00	\N	r7	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p7	\N
01a22f74-1eb9-7514-994d-8a172332486c	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.92175+00	2026-12-01 03:34:28.92175+00	\N	\N	r8	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f74-1eb9-7514-994d-8a18ca3319a3	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 02:34:28.921782+00	2026-12-01 03:34:28.921782+00	2026-12-01 02:34:28.921801+00	\N	r9	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p9	\N
01a22f74-1eb9-7514-994d-8a196902527b	rush	\N	1	2	\N	\N	\N	\N	released	2	2026-12-01 02:34:28.921836+00	2026-12-01 03:34:28.921836+00	\N	2026-12-01 02:34:28.922155+00	r10	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f74-1eba-7645-bd8e-c876e6d2e0f9	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 02:34:28.922355+00	2026-12-01 03:34:28.922355+00	2026-12-01 02:34:28.922383+00	\N	r11	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p11	\N
01a22f74-1eba-7645-bd8e-c877f4bde8ce	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.922432+00	2026-12-01 03:34:28.922432+00	\N	\N	r12	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f74-1eba-7645-bd8e-c878a935a42d	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 02:34:28.922498+00	2026-12-01 03:34:28.922498+00	2026-12-01 02:34:28.922523+00	\N	r13	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p13	\N
01a22f74-1eba-7645-bd8e-c8795e289c83	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.922565+00	2026-12-01 03:34:28.922565+00	\N	\N	r14	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f74-1eba-7645-bd8e-c87ad822b6bc	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 02:34:28.922594+00	2026-12-01 03:34:28.922594+00	2026-12-01 02:34:28.922613+00	\N	r15	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p15	\N
01a22f74-1eba-7645-bd8e-c87b473d3e7c	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.922652+00	2026-12-01 03:34:28.922652+00	\N	\N	r16	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f74-1eba-7645-bd8e-c87ccafc74cc	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 02:34:28.922679+00	2026-12-01 03:34:28.922679+00	2026-12-01 02:34:28.922699+00	\N	r17	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p17	\N
01a22f74-1ebb-73f4-b6da-bb907dba5219	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.923598+00	2026-12-01 03:34:28.923598+00	\N	\N	r18	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f74-1ebb-73f4-b6da-bb9103f76403	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 02:34:28.923636+00	2026-12-01 03:34:28.923636+00	2026-12-01 02:34:28.923656+00	\N	r19	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p19	\N
01a22f74-1ebb-73f4-b6da-bb92b8434b90	rush	\N	1	2	\N	\N	\N	\N	released	2	2026-12-01 02:34:28.9237+00	2026-12-01 03:34:28.9237+00	\N	2026-12-01 02:34:28.923757+00	r20	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f74-1ebb-73f4-b6da-bb93a23aed01	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 02:34:28.923806+00	2026-12-01 03:34:28.923806+00	2026-12-01 02:34:28.923827+00	\N	r21	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p21	\N
01a22f74-1ebb-73f4-b6da-bb94450b0350	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.923867+00	2026-12-01 03:34:28.923867+00	\N	\N	r22	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f74-1ebb-73f4-b6da-bb957af0b708	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 02:34:28.923896+00	2026-12-01 03:34:28.923896+00	2026-12-01 02:34:28.92392+00	\N	r23	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p23	\N
01a22f74-1ebb-73f4-b6da-bb9614cc34d5	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.923963+00	2026-12-01 03:34:28.923963+00	\N	\N	r24	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f74-1ebb-73f4-b6da-bb97dfa47498	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 02:34:28.923993+00	2026-12-01 03:34:28.923993+00	2026-12-01 02:34:28.924013+00	\N	r25	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p25	\N
01a22f74-1ebc-72e0-a86f-d0b9a46f4eed	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.924048+00	2026-12-01 03:34:28.924048+00	\N	\N	r26	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f74-1ebc-72e0-a86f-d0ba7b129b90	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 02:34:28.924079+00	2026-12-01 03:34:28.924079+00	2026-12-01 02:34:28.924098+00	\N	r27	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p27	\N
01a22f74-1ebc-72e0-a86f-d0bb26a2892f	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.924133+00	2026-12-01 03:34:28.924133+00	\N	\N	r28	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f74-1ebc-72e0-a86f-d0bcca64d961	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 02:34:28.924159+00	2026-12-01 03:34:28.924159+00	2026-12-01 02:34:28.924177+00	\N	r29	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p29	\N
01a22f74-1ebc-72e0-a86f-d0bd754c1230	rush	\N	1	2	\N	\N	\N	\N	released	2	2026-12-01 02:34:28.924211+00	2026-12-01 03:34:28.924211+00	\N	2026-12-01 02:34:28.924254+00	r30	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f74-1ebc-72e0-a86f-d0be2504ad71	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 02:34:28.924291+00	2026-12-01 03:34:28.924291+00	2026-12-01 02:34:28.92431+00	\N	r31	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p31	\N
01a22f74-1ebc-72e0-a86f-d0bf85cad41a	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.924346+00	2026-12-01 03:34:28.924346+00	\N	\N	r32	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f74-1ebc-72e0-a86f-d0c01a29b0fa	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 02:34:28.924373+00	2026-12-01 03:34:28.924373+00	2026-12-01 02:34:28.924392+00	\N	r33	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p33	\N
01a22f74-1ebc-72e0-a86f-d0c116087562	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.924427+00	2026-12-01 03:34:28.924427+00	\N	\N	r34	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f74-1ebc-72e0-a86f-d0c2db15c0bd	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 02:34:28.924466+00	2026-12-01 03:34:28.924466+00	2026-12-01 02:34:28.924487+00	\N	r35	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p35	\N
01a22f74-1ebc-72e0-a86f-d0c33de1449c	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.924528+00	2026-12-01 03:34:28.924528+00	\N	\N	r36	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f74-1ebc-72e0-a86f-d0c4a4a1cc86	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 02:34:28.924554+00	2026-12-01 03:34:28.924554+00	2026-12-01 02:34:28.924573+00	\N	r37	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p37	\N
01a22f74-1ebc-72e0-a86f-d0c54ee5b85d	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.924607+00	2026-12-01 03:34:28.924607+00	\N	\N	r38	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f74-1ebc-72e0-a86f-d0c6c8eaf833	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 02:34:28.924634+00	2026-12-01 03:34:28.924634+00	2026-12-01 02:34:28.924653+00	\N	r39	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p39	\N
01a22f74-1ebc-72e0-a86f-d0c7028c7e7d	rush	\N	1	2	\N	\N	\N	\N	released	2	2026-12-01 02:34:28.924687+00	2026-12-01 03:34:28.924687+00	\N	2026-12-01 02:34:28.924729+00	r40	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f74-1ebc-72e0-a86f-d0c8c9f082ad	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 02:34:28.924765+00	2026-12-01 03:34:28.924765+00	2026-12-01 02:34:28.924786+00	\N	r41	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p41	\N
01a22f74-1ebc-72e0-a86f-d0c97bfd7efa	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.924821+00	2026-12-01 03:34:28.924821+00	\N	\N	r42	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f74-1ebc-72e0-a86f-d0ca97fdc3f4	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 02:34:28.924849+00	2026-12-01 03:34:28.924849+00	2026-12-01 02:34:28.924868+00	\N	r43	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p43	\N
01a22f74-1ebc-72e0-a86f-d0cba039b287	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.924903+00	2026-12-01 03:34:28.924903+00	\N	\N	r44	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f74-1ebc-72e0-a86f-d0cc6d2e1f81	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 02:34:28.92493+00	2026-12-01 03:34:28.92493+00	2026-12-01 02:34:28.92496+00	\N	r45	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p45	\N
01a22f74-1ebd-728c-ab7c-6d283eebdc01	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.925009+00	2026-12-01 03:34:28.925009+00	\N	\N	r46	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f74-1ebd-728c-ab7c-6d298ced365d	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 02:34:28.925046+00	2026-12-01 03:34:28.925046+00	2026-12-01 02:34:28.925066+00	\N	r47	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p47	\N
01a22f74-1ebd-728c-ab7c-6d2ab4dfa8d8	rush	\N	1	2	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.925101+00	2026-12-01 03:34:28.925101+00	\N	\N	r48	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f74-1ebd-728c-ab7c-6d2b2face864	rush	\N	1	2	\N	\N	\N	\N	confirmed	2	2026-12-01 02:34:28.925128+00	2026-12-01 03:34:28.925128+00	2026-12-01 02:34:28.925147+00	\N	r49	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	p49	\N
01a22f74-1ebd-728c-ab7c-6d2c8a117bd7	rush	\N	1	2	\N	\N	\N	\N	released	2	2026-12-01 02:34:28.925181+00	2026-12-01 03:34:28.925181+00	\N	2026-12-01 02:34:28.925223+00	r50	439c3a87-039a-5fae-827f-ab1c9e8b1b9a	\N	\N	\N
01a22f74-1eda-7034-a8a3-a98f3ad09a5b	gig	\N	1	1	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.954176+00	2026-12-01 02:34:28.955176+00	\N	\N	late	c0fe2179-dd9a-5993-ab20-b5a9074c702c	late	\N	\N
01a22f74-1ede-7141-bc72-28f78ffeedea	hotel	\N	1	1	\N	["2033-01-01 12:00:00+00","2033-01-02 12:00:00+00")	["2033-01-01 12:00:00+00","2033-01-02 12:00:00+00")	f	held	1	2026-12-01 02:34:28.956657+00	2026-12-01 02:34:28.957657+00	\N	\N	late	00e7a142-3754-5fde-a7d8-76e69d0c5127	late	\N	\N
01a22f74-1eef-771e-bfc6-1b85ef601c23	rush	\N	1	1	\N	\N	\N	\N	held	1	2026-12-01 02:34:28.975535+00	2026-12-01 02:34:28.976535+00	\N	\N	late	79ce2293-2a38-5bda-9099-d55f280e569a	\N	\N	\N
\.


--
-- Data for Name: lease_epochs; Type: TABLE DATA; Schema: booking; Owner: postgres
--

COPY booking.lease_epochs (sole, floor, system_identifier, timeline) FROM stdin;
t	0	7714158410400477048	1
\.


--
-- Data for Name: leases; Type: TABLE DATA; Schema: booking; Owner: postgres
--

COPY booking.leases (name, slot, holder, token, acquired_at, expires_at, released_at) FROM stdin;
import	1	a	1	2026-12-01 02:34:28.881738+00	2026-12-01 03:34:28.881738+00	\N
workers	1	w1	1	2026-12-01 02:34:28.889525+00	2026-12-01 03:34:28.889525+00	\N
workers	3	w3	3	2026-12-01 02:34:28.889873+00	2026-12-01 03:34:28.889873+00	\N
workers	2	w2	2	2026-12-01 02:34:28.889818+00	2026-12-01 03:34:28.889818+00	2026-12-01 02:34:28.89659+00
\.


--
-- Data for Name: resources; Type: TABLE DATA; Schema: booking; Owner: postgres
--

COPY booking.resources (name, kind, contention, escrow, capacity, overbooking, taken, version, open, max_per_holder, sections, time_zone, buffer, check_in, check_out, hours, resized, waiting, skip, created_at, metadata) FROM stdin;
hotel	calendar	locked	\N	50	0	0	3	t	30	\N	Europe/Berlin	00:00:00	14:00:00	11:00:00	\N	t	0	f	2026-12-01 02:34:28.764241+00	\N
hall	seats	locked	\N	15	0	0	2	t	\N	{stalls}	\N	\N	\N	\N	\N	\N	0	f	2026-12-01 02:34:28.732223+00	\N
room	calendar	locked	\N	1	0	0	2	t	\N	\N	Europe/Berlin	00:15:00	15:00:00	11:00:00	{"mon 09:00-12:00","mon 13:00-17:00"}	f	0	f	2026-12-01 02:34:28.763614+00	\N
full	pool	locked	\N	1	0	1	4	t	\N	\N	\N	\N	\N	\N	\N	\N	1	f	2026-12-01 02:34:28.836116+00	\N
rush	pool	escrow	01a22f74-1eae-74bb-847b-3cc0fba5d63b	1000	0	0	1	t	\N	\N	\N	\N	\N	\N	\N	\N	0	f	2026-12-01 02:34:28.910948+00	\N
gig	pool	locked	\N	50	5	15	30	t	9	\N	\N	\N	\N	\N	\N	\N	0	f	2026-12-01 02:34:28.699711+00	{"a": 1}
\.


--
-- Data for Name: seats; Type: TABLE DATA; Schema: booking; Owner: postgres
--

COPY booking.seats (resource, label, section, "row", "position", rank, middle, hold_id, blocked) FROM stdin;
hall	stalls 1C	stalls	1	4	0	6	\N	f
hall	stalls 1D	stalls	1	5	0	6	\N	f
hall	stalls 2A	stalls	2	1	1	6	\N	f
hall	stalls 2B	stalls	2	2	1	6	\N	f
hall	stalls 2C	stalls	2	4	1	6	\N	f
hall	stalls 2D	stalls	2	5	1	6	\N	f
hall	stalls 3C	stalls	3	4	2	6	\N	f
hall	stalls 3D	stalls	3	5	2	6	\N	f
hall	stalls 4B	stalls	4	2	3	6	\N	f
hall	stalls 4C	stalls	4	4	3	6	\N	f
hall	stalls 4D	stalls	4	5	3	6	\N	f
hall	stalls 1A	stalls	1	1	0	6	01a22f74-1e06-7289-8213-aad21a5f4c99	f
hall	stalls 1B	stalls	1	2	0	6	01a22f74-1e06-7289-8213-aad21a5f4c99	f
hall	stalls 4A	stalls	4	1	3	6	\N	t
hall	stalls 3A	stalls	3	1	2	6	01a22f74-1e12-73bc-b980-8ac2cc72f657	f
hall	stalls 3B	stalls	3	2	2	6	01a22f74-1e12-73bc-b980-8ac2cc72f657	f
\.


--
-- Data for Name: waitlist_entries; Type: TABLE DATA; Schema: booking; Owner: postgres
--

COPY booking.waitlist_entries (id, resource, "position", quantity, seats, during, holder, offer_ttl, key, fingerprint, state, joined_at, ended_at, metadata) FROM stdin;
01a22f74-1e7a-77ea-a6a4-96d7c56466cf	full	2	1	\N	\N	\N	01:00:00	second	0e14e288-5b23-5529-b21b-0f1d727af712	waiting	2026-12-01 02:34:28.858396+00	\N	\N
01a22f74-1e6f-7509-ad27-65f6e3f0b13b	full	1	1	\N	\N	\N	01:00:00	first	0e14e288-5b23-5529-b21b-0f1d727af712	offered	2026-12-01 02:34:28.847924+00	2026-12-01 02:34:28.870575+00	\N
\.


--
-- Name: SCHEMA booking; Type: ACL; Schema: -; Owner: postgres
--

GRANT USAGE ON SCHEMA booking TO app;


--
-- Name: FUNCTION acquire_lease(name text, holder text, ttl interval, wait boolean, slots integer); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.acquire_lease(name text, holder text, ttl interval, wait boolean, slots integer) TO app;


--
-- Name: FUNCTION availability(resource text, during tstzrange); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.availability(resource text, during tstzrange) TO app;


--
-- Name: FUNCTION calendar(resource text, during tstzrange, step interval); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.calendar(resource text, during tstzrange, step interval) TO app;


--
-- Name: FUNCTION calendar_map(resource text, month date); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.calendar_map(resource text, month date) TO app;


--
-- Name: FUNCTION cancel(hold_id uuid, quantity bigint, seats text[], expected_version bigint, resource text); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.cancel(hold_id uuid, quantity bigint, seats text[], expected_version bigint, resource text) TO app;


--
-- Name: FUNCTION check_lease(name text, token bigint); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.check_lease(name text, token bigint) TO app;


--
-- Name: FUNCTION confirm(hold_id uuid, reference text, expected_version bigint, late text, resource text); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.confirm(hold_id uuid, reference text, expected_version bigint, late text, resource text) TO app;


--
-- Name: FUNCTION extend(hold_id uuid, ttl interval, expected_version bigint, resource text); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.extend(hold_id uuid, ttl interval, expected_version bigint, resource text) TO app;


--
-- Name: FUNCTION find(hold_id uuid, resource text); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.find(hold_id uuid, resource text) TO app;


--
-- Name: FUNCTION free_slots(resource text, during tstzrange, duration interval, step interval); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.free_slots(resource text, during tstzrange, duration interval, step interval) TO app;


--
-- Name: FUNCTION hold(resource text, quantity bigint, ttl interval, seats text[], during tstzrange, key text, holder text, expected_version bigint, wait boolean, metadata jsonb); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.hold(resource text, quantity bigint, ttl interval, seats text[], during tstzrange, key text, holder text, expected_version bigint, wait boolean, metadata jsonb) TO app;


--
-- Name: FUNCTION hold_all(items jsonb, ttl interval, key text, holder text, wait boolean, metadata jsonb); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.hold_all(items jsonb, ttl interval, key text, holder text, wait boolean, metadata jsonb) TO app;


--
-- Name: FUNCTION hold_best(resource text, quantity bigint, ttl interval, section text, together boolean, key text, holder text, wait boolean, metadata jsonb); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.hold_best(resource text, quantity bigint, ttl interval, section text, together boolean, key text, holder text, wait boolean, metadata jsonb) TO app;


--
-- Name: FUNCTION hold_each(requests jsonb); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.hold_each(requests jsonb) TO app;


--
-- Name: FUNCTION hold_nights(resource text, check_in date, check_out date, quantity bigint, ttl interval, key text, holder text, wait boolean, metadata jsonb); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.hold_nights(resource text, check_in date, check_out date, quantity bigint, ttl interval, key text, holder text, wait boolean, metadata jsonb) TO app;


--
-- Name: FUNCTION join_waitlist(resource text, quantity bigint, holder text, offer_ttl interval, key text, seats text[], during tstzrange, metadata jsonb); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.join_waitlist(resource text, quantity bigint, holder text, offer_ttl interval, key text, seats text[], during tstzrange, metadata jsonb) TO app;


--
-- Name: FUNCTION leave_waitlist(id uuid); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.leave_waitlist(id uuid) TO app;


--
-- Name: FUNCTION release(hold_id uuid, quantity bigint, seats text[], expected_version bigint, resource text); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.release(hold_id uuid, quantity bigint, seats text[], expected_version bigint, resource text) TO app;


--
-- Name: FUNCTION release_lease(name text, token bigint); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.release_lease(name text, token bigint) TO app;


--
-- Name: FUNCTION renew_lease(name text, token bigint, ttl interval); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.renew_lease(name text, token bigint, ttl interval) TO app;


--
-- Name: FUNCTION require(result booking.result); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.require(result booking.result) TO app;


--
-- Name: FUNCTION reschedule(hold_id uuid, during tstzrange, expected_version bigint, resource text); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.reschedule(hold_id uuid, during tstzrange, expected_version bigint, resource text) TO app;


--
-- Name: FUNCTION seat_map(resource text); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.seat_map(resource text) TO app;


--
-- Name: FUNCTION swap_seats(hold_id uuid, seats text[], expected_version bigint, resource text); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.swap_seats(hold_id uuid, seats text[], expected_version bigint, resource text) TO app;


--
-- Name: FUNCTION transfer(hold_id uuid, holder text, expected_version bigint, resource text); Type: ACL; Schema: booking; Owner: postgres
--

GRANT ALL ON FUNCTION booking.transfer(hold_id uuid, holder text, expected_version bigint, resource text) TO app;


--
-- PostgreSQL database dump complete
--


